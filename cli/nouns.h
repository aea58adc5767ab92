#pragma once
#include "cli/line/command.h"

/// Each adds its noun and verbs to the command line. One source file per noun.
namespace chat::cli {

void add_apps(CommandLine& line);
void add_keys(CommandLine& line);
void add_plans(CommandLine& line);
void add_usage(CommandLine& line);
void add_usage_chart(Noun& usage);  // verbs of it
void add_limits(CommandLine& line);
void add_statements(CommandLine& line);  // and alerts
void add_tokens(CommandLine& line);
void add_operators(CommandLine& line);
void add_audit(CommandLine& line);
void add_users(CommandLine& line);
void add_channels(CommandLine& line);
void add_members(CommandLine& line);
void add_messages(CommandLine& line);
void add_bans(CommandLine& line);
void add_moderation(CommandLine& line);
void add_blocklists(CommandLine& line);
void add_permissions(CommandLine& line);
void add_teams(CommandLine& line);
void add_segments(CommandLine& line);
void add_campaigns(CommandLine& line);
void add_devices(CommandLine& line);
void add_push(CommandLine& line);
void add_uploads(CommandLine& line);
void add_tasks(CommandLine& line);
void add_top(CommandLine& line);
void add_tail(CommandLine& line);
void add_webhooks(CommandLine& line);
void add_doctor(CommandLine& line);
void add_contexts(CommandLine& line);
void add_migrations(CommandLine& line);
void add_config(CommandLine& line);
void add_completion(CommandLine& line);
void add_reference(CommandLine& line);
void add_version(CommandLine& line);
void add_help(CommandLine& line);

}  // namespace chat::cli
