//! What `holdfast status --json` says.

/// One node's picture of its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    pub serving: bool,
    /// The node that leads, counted from 1; none if none is known.
    pub leader: Option<u64>,
    /// Certificates of fencing: lives of nodes that were proved to be over.
    pub fencings: u64,
}

impl Status {
    /// Reads the record; none if it is no such record.
    pub fn read(json: &str) -> Option<Status> {
        Some(Status {
            serving: field(json, "serving")? == "true",
            leader: field(json, "leader")?.parse().ok(),
            fencings: json.matches("\"lock_dropped\":").count() as u64,
        })
    }
}

/// A number or a word of the record itself. Records within it have other names for theirs.
fn field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let start = json.find(&format!("\"{name}\":"))? + name.len() + 3;
    let value = json.get(start..)?.trim_start();
    let end = value.find([',', '}', ']']).unwrap_or(value.len());
    value.get(..end).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let json = r#"{"cluster": "holdfast", "node": 2, "incarnation": 9, "serving": true,
            "leader": 3, "applied": 77, "nodes": [{"id": 1, "pid": 4}], "fencings": [
            {"node": 1, "lock_dropped": null}, {"node": 1, "lock_dropped": 12}]}"#;
        let expected = Status { serving: true, leader: Some(3), fencings: 2 };
        assert_eq!(Status::read(json), Some(expected));
        let without = json.replace("\"leader\": 3", "\"leader\": null").replace("true", "false");
        assert_eq!(Status::read(&without).unwrap().leader, None);
        assert!(!Status::read(&without).unwrap().serving);
        assert_eq!(Status::read("node 1 has not joined"), None);
    }
}
