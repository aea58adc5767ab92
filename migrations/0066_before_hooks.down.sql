drop table before_hooks;
