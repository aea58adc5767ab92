-- Stays as it is: these can't be told from those of applications that were made with it.
select;
