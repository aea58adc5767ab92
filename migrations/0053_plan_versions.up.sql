-- Versions of plans, and when applications moved between them.
-- Locks: plans and applications, exclusively for a moment. Time on 10 million rows: seconds (each application gets a row).

-- Shared: a version of a plan stays as it was, also when the plan goes: bills rest on it.
create table plan_versions (
  plan_id text not null check (plan_id ~ '^[a-z0-9_-]{1,64}$'),
  version bigint not null check (version > 0),
  document jsonb not null,
  created_at timestamptz not null,
  primary key (plan_id, version)
);
grant select, insert on plan_versions to chat_server;
insert into plan_versions (plan_id, version, document, created_at) select plan_id, 1, document, updated_at from plans;

alter table plans
  add column version bigint not null default 1,
  add column archived_at timestamptz;            -- then no application comes to it any more

-- When an application came to a version of a plan, and how it pays. Written by a trigger, whoever moves it.
create table plan_moves (
  app_id uuid not null references applications (app_id),
  moved_at timestamptz not null,
  plan_id text not null,
  version bigint not null,
  yearly boolean not null,
  primary key (app_id, moved_at)
);
select make_tenant_table('plan_moves');

alter table applications
  add column plan_version bigint not null default 0,        -- 0 asks for the plan's last
  add column pays_yearly boolean not null default false;
update applications set plan_version = 1;
insert into plan_moves (app_id, moved_at, plan_id, version, yearly)
select app_id, created_at, plan_id, 1, false from applications;

-- An application comes to the last version of a plan and stays on it. 0 asks for the last one again, -2 for the second.
create function choose_plan_version() returns trigger language plpgsql set search_path = public, pg_temp as $$
declare
  held text;
  wanted text;
begin
  if tg_op = 'UPDATE' and new.plan_id = old.plan_id and new.plan_version = old.plan_version and new.plan_version <> 0 then return new; end if;
  if (tg_op = 'INSERT' or new.plan_id <> old.plan_id) and exists (select from plans p where p.plan_id = new.plan_id and p.archived_at is not null) then
    raise exception using errcode = 'CH409', message = 'This plan is archived: no application comes to it any more.';
  end if;
  if new.plan_version < 0 then
    new.plan_version := -new.plan_version;
  else
    new.plan_version := coalesce((select p.version from plans p where p.plan_id = new.plan_id), 0);
  end if;
  select v.document ->> 'currency' into held from plan_moves m join plan_versions v on v.plan_id = m.plan_id and v.version = m.version
  where m.app_id = new.app_id and v.document ->> 'currency' is not null order by m.moved_at desc limit 1;
  select v.document ->> 'currency' into wanted from plan_versions v where v.plan_id = new.plan_id and v.version = new.plan_version;
  if held <> wanted then
    raise exception using errcode = 'CH409', message = format('An application is billed in one currency: this one in %s.', held);
  end if;
  return new;
end $$;
create trigger choose_plan_version before insert on applications for each row execute function choose_plan_version();
select silence_in_imports('applications', 'choose_plan_version');
create trigger choose_later_plan_version before update of plan_id, plan_version on applications for each row execute function choose_plan_version();

create function note_plan_move() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into plan_moves (app_id, moved_at, plan_id, version, yearly)
  values (new.app_id, case when tg_op = 'INSERT' then new.created_at else new.updated_at end, new.plan_id, new.plan_version, new.pays_yearly)
  on conflict (app_id, moved_at) do update set plan_id = excluded.plan_id, version = excluded.version, yearly = excluded.yearly;
  return null;
end $$;
create trigger note_plan_move after insert on applications for each row execute function note_plan_move();
select silence_in_imports('applications', 'note_plan_move');
create trigger note_later_plan_move after update of plan_id, plan_version, pays_yearly on applications for each row
  when ((old.plan_id, old.plan_version, old.pays_yearly) is distinct from (new.plan_id, new.plan_version, new.pays_yearly))
  execute function note_plan_move();

-- Bills rest on the moves, so they stay when an application is deleted. They don't travel: each service numbers its own versions, and an
-- application that comes in begins anew with the last one of its plan there.
do $edits$
declare
  edit record;
  made text;
begin
  for edit in select * from (values
      ('kept_when_deleted', $$'usage_metrics'$$, $$'usage_metrics', 'plan_moves'$$),
      ('transferred_tables', $$('imports',$$, $$('plan_moves', 'imports',$$)
    ) as e (named, was, becomes) loop
    made := pg_get_functiondef(edit.named::regproc);
    if position(edit.was in made) = 0 then raise exception 'The function % does not say: %', edit.named, edit.was; end if;
    execute replace(made, edit.was, edit.becomes);
  end loop;
end $edits$;
