//! SIDs of users: the cluster's identity, then the user's number in it.

use holdfast_proto::types::{Guid, Sid};

/// `S-1-5-21-<cluster>-<rid>`: the same on every node, and of no other cluster's users.
pub fn user_sid(cluster_id: Guid, rid: u32) -> Sid {
    let word = |at: usize| {
        let bytes = &cluster_id.0[at..at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    // A domain's SID has 96 bits of its own; the last quarter of the id is folded in.
    let sub_authorities = vec![21, word(0), word(4), word(8) ^ word(12), rid];
    Sid { authority: 5, sub_authorities }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_one_cluster_differ_in_the_last_part() {
        let cluster = Guid(std::array::from_fn(|i| i as u8));
        let (a, b) = (user_sid(cluster, 1000), user_sid(cluster, 1001));
        assert_eq!(a.sub_authorities[..4], b.sub_authorities[..4]);
        assert_eq!(a.to_string(), "S-1-5-21-50462976-117835012-67372036-1000");
        assert_ne!(user_sid(Guid([9; 16]), 1000), a);
    }
}
