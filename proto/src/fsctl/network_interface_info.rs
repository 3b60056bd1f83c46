//! FSCTL_QUERY_NETWORK_INTERFACE_INFO: the response ([MS-SMB2] 2.2.32.5). The request is empty.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::FsctlPayload;
use crate::types::wire_flags;
use crate::wire::{DecodeError, EntryListReader, EntryListWriter, Reader, Writer};

const SOCKADDR_STORAGE_SIZE: usize = 128;
const FAMILY_INTER_NETWORK: u16 = 0x0002;
const FAMILY_INTER_NETWORK_V6: u16 = 0x0017;
/// More interfaces than a server has.
const MAX_INTERFACES: usize = 1024;

wire_flags! {
    /// What an interface can do.
    InterfaceCapability: u32 {
        RSS_CAPABLE = 0x0000_0001;
        RDMA_CAPABLE = 0x0000_0002;
    }
}

/// One address of one interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkInterface {
    pub if_index: u32,
    pub capability: InterfaceCapability,
    /// Bits per second.
    pub link_speed: u64,
    pub address: IpAddr,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NetworkInterfaceInfo {
    pub interfaces: Vec<NetworkInterface>,
}

fn address(r: &mut Reader<'_>) -> Result<IpAddr, DecodeError> {
    let family = r.u16()?;
    // Port, which is not used.
    r.skip(2)?;
    match family {
        FAMILY_INTER_NETWORK => Ok(IpAddr::V4(Ipv4Addr::from(r.array::<4>()?))),
        FAMILY_INTER_NETWORK_V6 => {
            // FlowInfo, which is not used.
            r.skip(4)?;
            Ok(IpAddr::V6(Ipv6Addr::from(r.array::<16>()?)))
        }
        _ => Err(DecodeError::Value),
    }
}

fn put_address(w: &mut Writer, address: IpAddr) {
    let written = w.measured(|w| match address {
        IpAddr::V4(address) => {
            w.u16(FAMILY_INTER_NETWORK);
            w.u16(0);
            w.bytes(&address.octets());
        }
        IpAddr::V6(address) => {
            w.u16(FAMILY_INTER_NETWORK_V6);
            w.zeros(6);
            w.bytes(&address.octets());
        }
    });
    w.zeros(SOCKADDR_STORAGE_SIZE - written);
}

impl FsctlPayload for NetworkInterfaceInfo {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut interfaces = Vec::new();
        for entry in EntryListReader::new(*r) {
            let mut entry = entry?;
            if interfaces.len() == MAX_INTERFACES {
                return Err(DecodeError::TooManyEntries);
            }
            let if_index = entry.u32()?;
            let capability = InterfaceCapability(entry.u32()?);
            entry.skip(4)?;
            let link_speed = entry.u64()?;
            let address = address(&mut entry.sub(SOCKADDR_STORAGE_SIZE)?)?;
            interfaces.push(NetworkInterface { if_index, capability, link_speed, address });
        }
        Ok(NetworkInterfaceInfo { interfaces })
    }

    fn encode(&self, w: &mut Writer) {
        let mut list = EntryListWriter::new(8);
        for interface in &self.interfaces {
            list.push(w, |w| {
                w.u32(interface.if_index);
                w.u32(interface.capability.0);
                w.u32(0);
                w.u64(interface.link_speed);
                put_address(w, interface.address);
            });
        }
    }
}
