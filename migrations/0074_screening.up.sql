-- Automatic judgement of messages: an application's rules, and the classifier that it has asked.
-- Locks: none (new table). Time on 10 million rows: none.

create table screening_settings (
  app_id uuid not null references applications (app_id),
  version bigint not null,                     -- of all of it: nodes read again what they keep when it moved
  rules_version bigint not null default 0,
  rules jsonb not null default '[]',
  rules_at timestamptz,                        -- when they were last set; null: never
  classifier jsonb,                            -- null: nobody is asked
  sealed bytea,                                -- the key that signs the questions
  classifier_created_at timestamptz,
  classifier_updated_at timestamptz,
  primary key (app_id),
  check ((classifier is null) = (sealed is null))
);
select make_tenant_table('screening_settings');
