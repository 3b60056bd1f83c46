//! How fencings are told: that a node was dead or cut off before what it served was given on, by
//! what and when; and why there is no proof of another.

use super::json::Json;
use crate::admin::pb;
use crate::admin::pb::fencing::Means;

/// A line for each proof, and for each incarnation of which there is none.
pub fn text(status: &pb::StatusReply, shows: impl Fn(u64) -> bool) -> String {
    let proofs = status.fencings.iter().filter(|fencing| shows(fencing.node)).map(certificate);
    let failures = status.fencing_failures.iter().filter(|failure| shows(failure.node));
    proofs.chain(failures.map(failure)).collect()
}

fn certificate(fencing: &pb::Fencing) -> String {
    let asked = fencing.asked_micros;
    let how = match (fencing.means(), &fencing.command) {
        (Means::Command, Some(run)) => format!(
            "by command {}, run {} started {}, ended {}, exit status {}",
            run.program,
            run.attempt,
            after(asked, run.started_micros),
            after(asked, run.ended_micros),
            run.exit_status
        ),
        (Means::HostRebooted, _) => "its host has booted since".to_owned(),
        _ => format!(
            "killed {}, exit seen {}, lock dropped {}",
            after(asked, fencing.killed_micros),
            after(asked, fencing.exited_micros),
            after(asked, fencing.lock_dropped_micros)
        ),
    };
    format!(
        "fencing  node {} incarnation {} pid {}: asked at {}, {how}\n",
        fencing.node,
        fencing.incarnation,
        fencing.pid,
        moment(asked)
    )
}

fn failure(failure: &pb::FencingFailure) -> String {
    format!(
        "no proof node {} incarnation {}: tried {} times, last at {}: {}\n",
        failure.node,
        failure.incarnation,
        failure.attempts,
        moment(failure.last_micros),
        failure.why
    )
}

/// Seconds since 1970.
fn moment(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn after(asked: u64, micros: u64) -> String {
    match micros.checked_sub(asked) {
        Some(after) => format!("+{:.3} ms", after as f64 / 1000.0),
        None => "-".to_owned(),
    }
}

/// For programs. Times are microseconds since 1970, null where it did not happen.
pub fn certificate_json(fencing: &pb::Fencing) -> Json {
    let means = match fencing.means() {
        Means::Process => "process",
        Means::HostRebooted => "host_rebooted",
        Means::Command => "command",
    };
    let command = fencing.command.as_ref().map_or(Json::Null, |run| {
        Json::Record(vec![
            ("program", run.program.as_str().into()),
            ("started", or_null(run.started_micros)),
            ("ended", or_null(run.ended_micros)),
            ("exit_status", run.exit_status.unsigned_abs().into()),
            ("attempt", run.attempt.into()),
        ])
    });
    Json::Record(vec![
        ("node", fencing.node.into()),
        ("incarnation", fencing.incarnation.into()),
        ("pid", fencing.pid.into()),
        ("means", means.into()),
        ("asked", or_null(fencing.asked_micros)),
        ("killed", or_null(fencing.killed_micros)),
        ("exited", or_null(fencing.exited_micros)),
        ("lock_dropped", or_null(fencing.lock_dropped_micros)),
        ("command", command),
    ])
}

/// For programs.
pub fn failure_json(failure: &pb::FencingFailure) -> Json {
    Json::Record(vec![
        ("node", failure.node.into()),
        ("incarnation", failure.incarnation.into()),
        ("attempts", failure.attempts.into()),
        ("last", or_null(failure.last_micros)),
        ("why", failure.why.as_str().into()),
    ])
}

/// 0 stands for what is not there.
pub fn or_null(number: u64) -> Json {
    if number == 0 { Json::Null } else { Json::Number(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_the_times_in_order() {
        let fencing = pb::Fencing {
            node: 1,
            incarnation: 7,
            pid: 42,
            asked_micros: 5_000_001,
            killed_micros: 5_000_101,
            exited_micros: 5_002_001,
            lock_dropped_micros: 5_003_001,
            ..pb::Fencing::default()
        };
        assert_eq!(
            certificate(&fencing),
            "fencing  node 1 incarnation 7 pid 42: asked at 5.000001, killed +0.100 ms, \
             exit seen +2.000 ms, lock dropped +3.000 ms\n"
        );
    }

    #[test]
    fn a_command_is_named_with_its_exit_status() {
        let mut fencing = pb::Fencing {
            node: 2,
            incarnation: 9,
            pid: 43,
            asked_micros: 6_000_000,
            command: Some(pb::FenceCommandRun {
                program: "/sbin/cut-off".to_owned(),
                started_micros: 6_000_000,
                ended_micros: 6_250_000,
                exit_status: 0,
                attempt: 3,
            }),
            ..pb::Fencing::default()
        };
        fencing.set_means(Means::Command);
        assert_eq!(
            certificate(&fencing),
            "fencing  node 2 incarnation 9 pid 43: asked at 6.000000, by command /sbin/cut-off, \
             run 3 started +0.000 ms, ended +250.000 ms, exit status 0\n"
        );
        let failed = pb::FencingFailure {
            node: 2,
            incarnation: 9,
            attempts: 2,
            last_micros: 7_000_000,
            why: "exit status 1".to_owned(),
        };
        assert_eq!(
            failure(&failed),
            "no proof node 2 incarnation 9: tried 2 times, last at 7.000000: exit status 1\n"
        );
    }
}
