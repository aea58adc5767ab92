drop function sweep_block_list_entries(integer);
drop function block_list_versions_of(uuid[]);
drop function shared_block_lists();
drop table block_list_versions;
drop table block_list_uses;
drop table block_list_entries;
drop table block_lists;
