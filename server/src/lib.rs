//! One node of a Holdfast cluster: the SMB server and every administrative command.

pub mod vfs;
