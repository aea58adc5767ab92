-- The settings stay as they are: these can't be told from those of applications that were made with them.
comment on column channel_types.settings is null;
