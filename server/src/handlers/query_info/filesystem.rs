//! Information about the volume under a share ([MS-FSCC] 2.5): equal on every node.

use holdfast_proto::NtStatus;
use holdfast_proto::info::FileSystemInformationClass as Class;
use holdfast_proto::info::filesystem::*;
use holdfast_proto::msg::query_info::QueryInfoRequest;
use holdfast_proto::types::{FileTime, Guid};

use super::{Answer, fit};
use crate::dispatch::{Failure, RequestContext};
use crate::session::LocalOpen;
use crate::vfs::{VolumeStatistics, name_rules};

const SECTOR: u32 = 512;
const VOLUME_CREATED: FileTime = FileTime(132_000_000_000_000_000);

pub(super) async fn answer(
    ctx: &RequestContext,
    open: &LocalOpen,
    request: &QueryInfoRequest,
) -> Result<Answer, Failure> {
    let by = ctx.node.issuer();
    match Class(request.file_info_class) {
        Class::VOLUME => fit(&volume(ctx, open), request),
        Class::SIZE => fit(&size(&ctx.tree.volume.statistics(by).await?), request),
        Class::FULL_SIZE => fit(&full_size(&ctx.tree.volume.statistics(by).await?), request),
        Class::DEVICE => fit(&device(ctx), request),
        Class::ATTRIBUTE => fit(&attribute(), request),
        Class::OBJECT_ID => fit(&object_id(ctx, open), request),
        Class::SECTOR_SIZE => fit(&sector_size(), request),
        _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
}

fn volume(ctx: &RequestContext, open: &LocalOpen) -> FileFsVolumeInformation {
    FileFsVolumeInformation {
        creation_time: VOLUME_CREATED,
        serial_number: serial_number(ctx, open),
        supports_objects: false,
        label: ctx.tree.settings.name.clone(),
    }
}

/// From the cluster's identity and the volume's number: the same whichever node answers.
fn serial_number(ctx: &RequestContext, open: &LocalOpen) -> u32 {
    let state = ctx.node.cluster.state();
    let id = state.cluster().map_or(Guid::ZERO, |cluster| cluster.cluster_id);
    let word = |at: usize| u32::from_le_bytes([id.0[at], id.0[at + 1], id.0[at + 2], id.0[at + 3]]);
    word(0) ^ word(4) ^ word(8) ^ word(12) ^ open.file.volume.0 as u32
}

fn units(bytes: u64, statistics: &VolumeStatistics) -> u64 {
    bytes / u64::from(statistics.block_size.max(1))
}

fn sectors_per_unit(statistics: &VolumeStatistics) -> u32 {
    (statistics.block_size / SECTOR).max(1)
}

fn size(statistics: &VolumeStatistics) -> FileFsSizeInformation {
    FileFsSizeInformation {
        total_allocation_units: units(statistics.total, statistics),
        available_allocation_units: units(statistics.available, statistics),
        sectors_per_allocation_unit: sectors_per_unit(statistics),
        bytes_per_sector: SECTOR,
    }
}

fn full_size(statistics: &VolumeStatistics) -> FileFsFullSizeInformation {
    FileFsFullSizeInformation {
        total_allocation_units: units(statistics.total, statistics),
        caller_available_allocation_units: units(statistics.available, statistics),
        actual_available_allocation_units: units(statistics.free, statistics),
        sectors_per_allocation_unit: sectors_per_unit(statistics),
        bytes_per_sector: SECTOR,
    }
}

fn device(ctx: &RequestContext) -> FileFsDeviceInformation {
    let read_only = if ctx.tree.settings.read_only { READ_ONLY_DEVICE } else { 0 };
    FileFsDeviceInformation {
        device_type: DEVICE_DISK,
        characteristics: DEVICE_IS_MOUNTED | read_only,
    }
}

/// Only what works is told: no streams, no access control lists, no quotas.
fn attribute() -> FileFsAttributeInformation {
    FileFsAttributeInformation {
        attributes: FileSystemAttributes::CASE_PRESERVED_NAMES
            | FileSystemAttributes::UNICODE_ON_DISK
            | FileSystemAttributes::SUPPORTS_EXTENDED_ATTRIBUTES,
        maximum_component_name_length: name_rules::MAX_NAME_UNITS as u32,
        file_system_name: "NTFS".to_owned(),
    }
}

fn object_id(ctx: &RequestContext, open: &LocalOpen) -> FileFsObjectIdInformation {
    let state = ctx.node.cluster.state();
    let mut id = state.cluster().map_or(Guid::ZERO, |cluster| cluster.cluster_id);
    id.0[15] ^= open.file.volume.0 as u8;
    FileFsObjectIdInformation { object_id: id, extended_info: [0; 48] }
}

fn sector_size() -> FileFsSectorSizeInformation {
    FileFsSectorSizeInformation {
        logical_bytes_per_sector: SECTOR,
        physical_bytes_per_sector_for_atomicity: SECTOR,
        physical_bytes_per_sector_for_performance: SECTOR,
        effective_physical_bytes_per_sector_for_atomicity: SECTOR,
        flags: ALIGNED_DEVICE | PARTITION_ALIGNED_ON_DEVICE,
        ..Default::default()
    }
}
