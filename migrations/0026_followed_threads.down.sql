drop view followed_threads;
