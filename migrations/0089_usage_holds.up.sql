-- What is on its way and will be counted when it is done: so that nodes together never go over a month's limit.
-- Locks: none (a new table). Time on 10 million rows: none.

create table usage_holds (
  app_id uuid not null references applications (app_id),
  id uuid not null,                            -- of the piece of work
  meter text not null,
  value bigint not null check (value > 0),
  held_until timestamptz not null,             -- who works died if it is not over by then
  primary key (app_id, id)
);
select make_tenant_table('usage_holds');
