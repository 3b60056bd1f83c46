//! Information about a file: a line for each class that is served.

use holdfast_proto::NtStatus;
use holdfast_proto::info::FileInformationClass as Class;
use holdfast_proto::info::file::*;
use holdfast_proto::msg::query_info::QueryInfoRequest;
use holdfast_proto::types::AccessMask;

use super::{Answer, extended_attributes, fit};
use crate::dispatch::{Failure, RequestContext};
use crate::session::LocalOpen;
use crate::vfs::{FileKind, FileStat};

pub(super) async fn answer(
    ctx: &RequestContext,
    open: &LocalOpen,
    request: &QueryInfoRequest,
) -> Result<Answer, Failure> {
    let class = Class(request.file_info_class);
    check_access(class, open)?;
    let stat = open.handle.stat().await?;
    match class {
        Class::BASIC => fit(&basic(&stat), request),
        Class::STANDARD => fit(&standard(ctx, open, &stat), request),
        Class::INTERNAL => fit(&internal(&stat), request),
        Class::EA => fit(&ea(open).await?, request),
        Class::ACCESS => fit(&FileAccessInformation { access: open.access }, request),
        Class::POSITION => fit(&position(open), request),
        Class::MODE => fit(&mode(open), request),
        Class::ALIGNMENT => fit(&FileAlignmentInformation::default(), request),
        Class::ALL_INFORMATION => fit(&all(ctx, open, &stat).await?, request),
        Class::FULL_EA => extended_attributes::answer(open, request).await,
        Class::ALTERNATE_NAME => fit(&alternate_name(ctx, open)?, request),
        Class::NORMALIZED_NAME => fit(&FileNameInformation { name: name(ctx, open) }, request),
        Class::STREAM => fit(&streams(&stat), request),
        Class::COMPRESSION => fit(&compression(&stat), request),
        Class::NETWORK_OPEN => fit(&network_open(&stat), request),
        Class::ATTRIBUTE_TAG => fit(&attribute_tag(&stat), request),
        Class::ID => fit(&id(&stat), request),
        _ => Err(NtStatus::INVALID_INFO_CLASS.into()),
    }
}

/// [MS-FSA] 2.1.5.12: what an open must be able to do.
fn check_access(class: Class, open: &LocalOpen) -> Result<(), NtStatus> {
    let needed = match class {
        Class::BASIC | Class::ALL_INFORMATION | Class::NETWORK_OPEN | Class::ATTRIBUTE_TAG => {
            AccessMask::READ_ATTRIBUTES
        }
        Class::FULL_EA => AccessMask::READ_EA,
        _ => AccessMask::NONE,
    };
    if open.access.contains(needed) { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) }
}

fn basic(stat: &FileStat) -> FileBasicInformation {
    FileBasicInformation {
        creation_time: stat.times.creation,
        last_access_time: stat.times.access,
        last_write_time: stat.times.write,
        change_time: stat.times.change,
        attributes: stat.attributes,
    }
}

fn standard(ctx: &RequestContext, open: &LocalOpen, stat: &FileStat) -> FileStandardInformation {
    let delete_pending = ctx.node.cluster.state().delete_pending(open.file);
    FileStandardInformation {
        allocation_size: stat.allocated,
        end_of_file: stat.len,
        number_of_links: stat.links.saturating_sub(u32::from(delete_pending)),
        delete_pending,
        directory: open.directory,
    }
}

fn internal(stat: &FileStat) -> FileInternalInformation {
    FileInternalInformation { index_number: stat.index_number() }
}

async fn ea(open: &LocalOpen) -> Result<FileEaInformation, Failure> {
    let attributes = open.handle.extended_attributes().await?;
    let ea_size = if attributes.is_empty() {
        0
    } else {
        // The size of the list as OS/2 counts it: a length, then each entry.
        4 + attributes.iter().map(|(name, value)| 5 + name.len() + value.len()).sum::<usize>()
    };
    Ok(FileEaInformation { ea_size: ea_size as u32 })
}

fn position(open: &LocalOpen) -> FilePositionInformation {
    FilePositionInformation { current_byte_offset: open.state.lock().position as i64 }
}

fn mode(open: &LocalOpen) -> FileModeInformation {
    FileModeInformation { mode: open.state.lock().mode }
}

async fn all(
    ctx: &RequestContext,
    open: &LocalOpen,
    stat: &FileStat,
) -> Result<FileAllInformation, Failure> {
    Ok(FileAllInformation {
        basic: basic(stat),
        standard: standard(ctx, open, stat),
        internal: internal(stat),
        ea: ea(open).await?,
        access: FileAccessInformation { access: open.access },
        position: position(open),
        mode: mode(open),
        alignment: FileAlignmentInformation::default(),
        name: FileNameInformation { name: format!("\\{}", name(ctx, open)) },
    })
}

/// The path below the share, components separated by backslashes. The cluster's word counts: the
/// file may have been renamed through another open.
fn name(ctx: &RequestContext, open: &LocalOpen) -> String {
    let state = ctx.node.cluster.state();
    let path = match state.open_at(open.open) {
        Some(found) => found.place.path.clone(),
        None => open.state.lock().place.path.clone(),
    };
    let root = ctx.tree.root.path.as_str();
    let below = path.strip_prefix(root).unwrap_or(&path);
    below.trim_start_matches('/').replace('/', "\\")
}

/// Names are given no 8.3 aliases; one that has that form already is its own.
fn alternate_name(ctx: &RequestContext, open: &LocalOpen) -> Result<FileNameInformation, NtStatus> {
    let path = name(ctx, open);
    let last = path.rsplit('\\').next().unwrap_or("");
    match is_short(last) {
        true => Ok(FileNameInformation { name: last.to_ascii_uppercase() }),
        false => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
    }
}

/// True for up to eight characters, and up to three behind one dot ([MS-FSCC] 2.1.5.2.1).
fn is_short(name: &str) -> bool {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let plain = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'()-@^_`{}~".contains(&b))
    };
    (1..=8).contains(&base.len())
        && extension.len() <= 3
        && !name.ends_with('.')
        && plain(base)
        && plain(extension)
}

fn streams(stat: &FileStat) -> FileStreamInformation {
    if stat.kind == FileKind::Directory {
        return FileStreamInformation(Vec::new());
    }
    FileStreamInformation(vec![StreamEntry {
        name: "::$DATA".to_owned(),
        size: stat.len,
        allocation_size: stat.allocated,
    }])
}

fn compression(stat: &FileStat) -> FileCompressionInformation {
    FileCompressionInformation { compressed_file_size: stat.len, ..Default::default() }
}

fn network_open(stat: &FileStat) -> FileNetworkOpenInformation {
    FileNetworkOpenInformation {
        creation_time: stat.times.creation,
        last_access_time: stat.times.access,
        last_write_time: stat.times.write,
        change_time: stat.times.change,
        allocation_size: stat.allocated,
        end_of_file: stat.len,
        attributes: stat.attributes,
    }
}

fn attribute_tag(stat: &FileStat) -> FileAttributeTagInformation {
    FileAttributeTagInformation { attributes: stat.attributes, reparse_tag: 0 }
}

fn id(stat: &FileStat) -> FileIdInformation {
    let mut file_id = [0; 16];
    file_id[..8].copy_from_slice(&stat.index_number().to_le_bytes());
    FileIdInformation { volume_serial_number: stat.key.volume.0, file_id }
}
