//! Dialects ([MS-SMB2] 2.2.3, 2.2.4).

use crate::wire::open_enum;

open_enum! {
    /// A revision of the protocol. Later ones compare greater.
    Dialect: u16 {
        SMB_2_0_2 = 0x0202;
        SMB_2_1 = 0x0210;
        /// Answered to a multi-protocol NEGOTIATE: "2.1 or later, ask again".
        SMB_2_WILDCARD = 0x02FF;
        SMB_3_0 = 0x0300;
        SMB_3_0_2 = 0x0302;
        SMB_3_1_1 = 0x0311;
    }
}
