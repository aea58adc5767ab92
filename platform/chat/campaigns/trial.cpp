#include <map>
#include <unordered_set>

#include "platform/base/error.h"
#include "platform/chat/campaigns/judge.h"
#include "platform/chat/campaigns/recipients.h"

namespace chat::campaigns {
namespace {

constexpr int kJudgedAtOnce = 1'000;

struct Trial {
  std::size_t recipients = 0, reached = 0;
  std::map<std::string, std::int64_t> reasons;
  std::vector<std::int64_t> by_variant;
  std::vector<std::string> samples;
};

std::string sample_json(const Work& work, const Judged& judged, std::size_t variant, const Written& written) {
  const auto& definition = work.definition;
  json::Writer out;
  out.object().field(definition.of == segments::Of::users ? "user_id" : "cid", judged.name).field("variant", definition.variants[variant].name);
  if (!judged.language.empty()) out.field("language", judged.language);
  out.field("text", written.text).key("creates_channel").boolean(!judged.has_channel).end();
  return out.take();
}

void try_one(const Work& work, const Judged& judged, std::size_t samples, Trial& trial) {
  ++trial.recipients;
  if (judged.reason) {
    ++trial.reasons[*judged.reason];
    return;
  }
  const auto variant = work.definition.variant_of(work.campaign.id.uuid, judged.target);
  const auto written = write(work, judged, variant);
  if (written.missing) {
    ++trial.reasons["missing_variable"];
    return;
  }
  ++trial.reached;
  ++trial.by_variant[variant];
  if (trial.samples.size() < samples) trial.samples.push_back(sample_json(work, judged, variant, written));
}

}  // namespace

std::string dry_run_json(storage::Transaction& tx, const Campaign& campaign, std::size_t samples, Timestamp now) {
  const auto work = open_work(tx, campaign);
  if (!work) throw Error(Code::conflict, "Its sender is deleted, deactivated or banned.");
  Trial trial;
  trial.by_variant.resize(work->definition.variants.size());
  std::unordered_set<Uuid> seen;
  std::string place;
  bool is_last = false;
  while (!is_last && seen.size() < kMaxTried) {
    const auto slice = read_slice(tx, campaign, work->definition, place, kJudgedAtOnce);
    std::vector<Uuid> fresh;
    for (const auto& target : slice.targets)
      if (seen.insert(target).second) fresh.push_back(target);
    for (const auto& judged : judge(tx, *work, fresh, now)) try_one(*work, judged, samples, trial);
    place = slice.place;
    is_last = slice.is_last;
  }
  json::Writer out;
  out.object().field("recipients", static_cast<std::int64_t>(trial.recipients)).key("exact").boolean(is_last)
      .field("would_be_sent", static_cast<std::int64_t>(trial.reached)).key("skipped").array();
  for (const auto& [reason, count] : trial.reasons) out.object().field("reason", reason).field("count", count).end();
  out.end().key("variants").array();
  for (std::size_t i = 0; i < trial.by_variant.size(); ++i)
    out.object().field("name", work->definition.variants[i].name).field("count", trial.by_variant[i]).end();
  out.end().key("samples").array();
  for (const auto& sample : trial.samples) out.raw(sample);
  out.end().end();
  return out.take();
}

}  // namespace chat::campaigns
