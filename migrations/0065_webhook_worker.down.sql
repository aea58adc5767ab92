drop function sweep_webhooks(integer);
drop function note_webhook_endpoints(timestamptz, uuid[], uuid[], integer[], integer[], boolean[]);
drop function end_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[], text[], timestamptz[], boolean[], text[], integer[], bigint[],
                           timestamptz[], text[], text[], boolean[]);
drop function renew_webhooks(uuid, timestamptz, uuid[], uuid[], uuid[]);
drop function claim_webhooks(uuid, timestamptz, timestamptz, uuid, uuid, uuid[], integer[], integer, integer);
drop function fan_out_webhooks(integer, integer, uuid);
