-- Single tokens that are dead, by their `jti`, a user's or a server's, until they have expired. Loaded into memory with the application, so
-- that connecting asks no database; bounded by kMaxRevokedTokens of application.h.
-- Locks: none. Time on 10 million rows: none.
create table revoked_tokens (
  app_id uuid not null references applications (app_id),
  token_id text not null,
  expires_at timestamptz,                      -- the token's own `exp`; null: it has none
  revoked_at timestamptz not null,
  primary key (app_id, token_id)
);
select make_tenant_table('revoked_tokens');
