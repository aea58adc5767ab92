drop table segment_targets;
drop table segments;
