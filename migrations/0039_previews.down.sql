drop function sweep_link_previews(integer);
drop function claim_previews(timestamptz, interval, integer);
drop table link_previews;
drop table preview_queue;
