//! What one to ten thousand people cost.

use super::figures::Figure;
use crate::limits::least_seconds;
use crate::results::Results;
use crate::scale::ScaleRun;
use crate::statistics::number;

/// The sizes that were measured, smallest first.
pub(crate) fn sizes(results: &Results) -> Vec<usize> {
    let mut sizes: Vec<_> = results.scale.iter().map(|run| run.people).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// All runs of one size.
pub(crate) fn of(results: &Results, people: usize) -> Vec<&ScaleRun> {
    results.scale.iter().filter(|run| run.people == people).collect()
}

/// One figure of all runs of one size.
pub(crate) fn each(runs: &[&ScaleRun], value: impl Fn(&ScaleRun) -> Option<f64>) -> Vec<f64> {
    runs.iter().filter_map(|run| value(run)).collect()
}

/// The empty start: before anything is created, so that every run of every size counts.
pub(crate) fn empty(results: &Results) -> Vec<Figure> {
    let runs: Vec<_> = results.scale.iter().collect();
    let binary = results.settings.get("scale").map(|setting| whole(setting.binary_bytes) / 1e6);
    vec![
        Figure::of("size of the binary", "MB", &binary.into_iter().collect::<Vec<_>>()).goal(10.0),
        Figure::of("empty: ready after", "ms", &each(&runs, |run| Some(run.empty.ready_ms))).goal(150.0),
        Figure::of("empty: leads after", "ms", &each(&runs, |run| Some(run.empty.leads_ms))),
        Figure::of("empty: resident memory", "MB", &each(&runs, |run| Some(run.empty.usage.rss_mb))).goal(10.0),
        Figure::of(
            "the same without the binary's own pages",
            "MB",
            &each(&runs, |run| Some(run.empty.usage.anonymous_mb)),
        ),
    ]
}

/// New objects.
pub(crate) fn invited(results: &Results, people: usize) -> Vec<Figure> {
    let runs = of(results, people);
    let is = |size| people == size;
    let limit = runs.iter().find_map(|run| least_seconds(&run.rates, people));
    let mut total = Figure::of("all invited after", "s", &each(&runs, |run| Some(run.invited.total_s))).limit(limit);
    if is(1000) {
        total = total.goal(8.0);
    }
    if is(10_000) {
        total = total.goal(75.0);
    }
    vec![
        total,
        Figure::of("all objects created after", "s", &each(&runs, |run| Some(run.invited.creating_s))),
        Figure::of("apply → Invited, p50", "ms", &each(&runs, |run| Some(run.invited.times.p50_ms))),
        Figure::of("apply → Invited, p99", "ms", &each(&runs, |run| Some(run.invited.times.p99_ms))),
        Figure::of("calls to MongoDB each", "", &each(&runs, |run| Some(run.invited.calls_per_invitation))),
        Figure::of(
            "Kubernetes writes each, its event included",
            "",
            &each(&runs, |run| Some(run.invited.writes_per_invitation)),
        )
        .goal(6.0),
        Figure::of(
            "processor time each",
            "ms",
            &each(&runs, |run| Some(run.invited.cpu_s * 1000.0 / number(run.people))),
        ),
        memory("resident memory after a rest", &runs, people, 35.0, |run| run.invited.usage.rss_mb),
        memory("most memory ever resident", &runs, people, 60.0, |run| run.invited.usage.peak_mb),
    ]
}

/// A restart with everything synced.
pub(crate) fn restart(results: &Results, people: usize) -> Vec<Figure> {
    let runs = of(results, people);
    let pairs = runs.first().map_or(0.0, |run| number(run.projects));
    let operation = |run: &ScaleRun, name: &str| run.restart.calls.by_operation.get(name).copied().map_or(0.0, whole);
    vec![
        Figure::of("ready after", "ms", &each(&runs, |run| Some(run.restart.start.ready_ms))).goal(2000.0),
        Figure::of("leads after", "ms", &each(&runs, |run| Some(run.restart.start.leads_ms))),
        Figure::of("every object had a pass after", "s", &each(&runs, |run| Some(run.restart.passed_s))),
        Figure::of("Kubernetes writes but the Lease's", "", &each(&runs, |run| Some(whole(run.restart.writes))))
            .goal(0.0),
        Figure::of("lists of invitations", "", &each(&runs, |run| Some(operation(run, "ListGroupInvites"))))
            .goal(pairs),
        Figure::of("lists of members", "", &each(&runs, |run| Some(operation(run, "ListGroupUsers")))).goal(pairs),
        Figure::of("POSTs", "", &each(&runs, |run| Some(whole(run.restart.calls.posts)))).goal(0.0),
        memory("resident memory after a rest", &runs, people, 35.0, |run| run.restart.start.usage.rss_mb),
        memory("the same without the binary's own pages", &runs, people, f64::INFINITY, |run| {
            run.restart.start.usage.anonymous_mb
        }),
        memory("most memory ever resident", &runs, people, 60.0, |run| run.restart.start.usage.peak_mb),
        Figure::of("processor at rest, no pass due", "%", &each(&runs, |run| Some(run.restart.cpu_at_rest * 100.0)))
            .goal(0.1),
    ]
}

/// Nothing happening, and acceptances.
pub(crate) fn idle(results: &Results, people: usize) -> Vec<Figure> {
    let runs = of(results, people);
    let idle = |value: fn(&crate::idle::Idle) -> f64| each(&runs, move |run| run.idle.as_ref().map(value));
    let accepted = |value: fn(&crate::idle::Accepted) -> f64| each(&runs, move |run| run.accepted.as_ref().map(value));
    vec![
        Figure::of("calls to MongoDB per inviter, project and hour", "", &idle(|idle| idle.calls_per_pair_and_hour))
            .goal(14.0),
        Figure::of("answers 429 or of the throttle", "", &idle(|idle| whole(idle.calls.throttled))).goal(0.0),
        Figure::of("Kubernetes writes", "", &idle(|idle| whole(idle.writes))).goal(0.0),
        Figure::of("processor, by the operator's own hours", "%", &idle(|idle| idle.cpu_share * 100.0)).goal(0.1),
        Figure::of("passes", "/s", &idle(|idle| idle.passes_per_s)),
        Figure::of(
            "accepted → Accepted, p50, in intervals of looking",
            "",
            &accepted(|all| all.times.p50_ms / all.check_interval_ms),
        ),
        Figure::of(
            "accepted → Accepted, longest, in intervals of looking",
            "",
            &accepted(|all| all.times.max_ms / all.check_interval_ms),
        ),
        Figure::of(
            "Kubernetes writes for each acceptance, its event included",
            "",
            &accepted(|all| all.writes_per_acceptance),
        )
        .goal(3.0),
        Figure::of("acceptances that were missed", "", &accepted(|all| number(all.missed))).goal(0.0),
    ]
}

/// Memory has a goal for ten thousand people.
fn memory(what: &str, runs: &[&ScaleRun], people: usize, goal: f64, value: fn(&ScaleRun) -> f64) -> Figure {
    let figure = Figure::of(what, "MB", &each(runs, |run| Some(value(run))));
    if people == 10_000 && goal.is_finite() { figure.goal(goal) } else { figure }
}

fn whole(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
