-- Who leaves a channel on probation and joins it again is on probation still.
-- Locks: channel_members briefly (a trigger). Time on 10 million rows: none.
create function keep_probation() returns trigger
language plpgsql as $$
begin
  select s.probation_until into new.held_until from moderation_standings s
  where s.app_id = new.app_id and s.user_id = new.user_id and s.channel_id = new.channel_id and s.probation_until > now()
    and coalesce((select (g.settings ->> 'probation_holds')::boolean from moderation_settings g where g.app_id = new.app_id), true);
  return new;
end $$;
create trigger keep_probation before insert on channel_members for each row execute function keep_probation();
select silence_in_imports('channel_members', 'keep_probation');
