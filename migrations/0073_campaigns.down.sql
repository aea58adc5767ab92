drop function campaigns_standing(timestamptz);
drop function claim_campaign_recipients(timestamptz, interval, integer, interval);
drop function next_campaign_to_plan(timestamptz);
drop function direct_channel_id(text, text, text);
drop function local_moment(timestamp, text, text);
drop table campaign_opt_outs;
drop table campaign_recipients;
drop table campaigns;
