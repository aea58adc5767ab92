drop table usage_holds;
