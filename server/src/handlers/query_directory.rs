//! QUERY_DIRECTORY ([MS-SMB2] 3.3.5.18): a listing resumes by name, so that it goes on after a
//! move to another node.

use std::sync::Arc;

use holdfast_cluster::command::{Command, Durability};
use holdfast_proto::NtStatus;
use holdfast_proto::info::FileInformationClass;
use holdfast_proto::info::directory::{DirectoryClass, DirectoryEntry, Listing};
use holdfast_proto::msg::query_directory::{
    QueryDirectoryFlags, QueryDirectoryRequest, QueryDirectoryResponse,
};
use holdfast_proto::types::AccessMask;

use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::gate::Io;
use crate::limits;
use crate::session::{LocalOpen, SearchState};
use crate::vfs::{Entry, FileKind, FileStat};
use crate::wildcard;

/// Entries that are read from the storage at once.
const BATCH: usize = 256;
/// Characters of a search pattern: no name is longer.
const PATTERN_MAX: usize = 255;
/// Entries that are compared before others get their turn.
const COMPARED_MAX: u32 = 64;
/// IO_REPARSE_TAG_SYMLINK ([MS-FSCC] 2.1.2.1).
const REPARSE_TAG_SYMLINK: u32 = 0xA000_000C;

/// Serves a QUERY_DIRECTORY.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: QueryDirectoryRequest,
) -> HandlerResult {
    let class = check(&open, &request)?;
    // Two requests on one open are served one after the other: each goes on where the other ended.
    let _turn = open.listing.acquire().await;
    let (mut search, first) = position(&open, &request)?;
    let listed = fill(&ctx, &open, &mut search, class, &request).await;
    open.state.lock().search = Some(search.clone());
    let listing = listed?;
    if listing.is_empty() {
        let none = if first { NtStatus::NO_SUCH_FILE } else { NtStatus::NO_MORE_FILES };
        return Err(none.into());
    }
    note_position(&ctx, &open, search);
    let response = QueryDirectoryResponse { output: listing.finish() };
    Ok(Reply::success(response))
}

fn check(open: &LocalOpen, request: &QueryDirectoryRequest) -> Result<DirectoryClass, NtStatus> {
    if !open.directory {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !open.access.contains(AccessMask::READ_DATA) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let class = FileInformationClass(request.file_information_class);
    let class = DirectoryClass::from_class(class).ok_or(NtStatus::INVALID_INFO_CLASS)?;
    if request.output_buffer_length > limits::MAX_IO_SIZE {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if request.file_name.encode_utf16().count() > PATTERN_MAX {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    if (request.output_buffer_length as usize) < class.fixed_size() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    Ok(class)
}

/// Where the listing goes on, and whether this is its beginning. The first pattern stays, until
/// the client starts anew with another.
fn position(
    open: &LocalOpen,
    request: &QueryDirectoryRequest,
) -> Result<(SearchState, bool), NtStatus> {
    let asked = match request.file_name.as_str() {
        "" => "*",
        pattern => pattern,
    };
    let kept = open.state.lock().search.clone();
    let reopen = request.flags.contains(QueryDirectoryFlags::REOPEN);
    let restart = reopen || request.flags.contains(QueryDirectoryFlags::RESTART_SCANS);
    match kept {
        Some(search) if !restart => Ok((search, false)),
        Some(search) if !reopen && request.file_name.is_empty() => {
            Ok((SearchState { pattern: search.pattern, ..SearchState::default() }, true))
        }
        _ => Ok((SearchState { pattern: asked.to_owned(), ..SearchState::default() }, true)),
    }
}

/// Fills one answer; `search` stands behind its last entry afterwards.
async fn fill(
    ctx: &RequestContext,
    open: &LocalOpen,
    search: &mut SearchState,
    class: DirectoryClass,
    request: &QueryDirectoryRequest,
) -> Result<Listing, Failure> {
    let single = request.flags.contains(QueryDirectoryFlags::RETURN_SINGLE_ENTRY);
    let mut listing = Listing::new(class, request.output_buffer_length as usize);
    let permit = ctx.node.gate.enter(open.open, open.file, &Io::Other).await?;
    let mut compared = 0;
    let filled = loop {
        compared += 1;
        if compared % COMPARED_MAX == 0 {
            tokio::task::yield_now().await;
        }
        let Some(entry) = search.ahead.front() else {
            match read_ahead(open, search).await {
                Ok(true) => continue,
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if !wildcard::matches(&search.pattern, &entry.name) {
            search.last_name = Some(entry.name.clone());
            search.ahead.pop_front();
            continue;
        }
        if !listing.push(&describe(entry)) {
            break if listing.is_empty() { Err(NtStatus::BUFFER_OVERFLOW.into()) } else { Ok(()) };
        }
        search.last_name = Some(entry.name.clone());
        search.ahead.pop_front();
        if single {
            break Ok(());
        }
    };
    ctx.node.gate.leave(permit).await?;
    filled.map(|()| listing)
}

/// Reads the next entries; false at the end. `.` and `..` come first and are this directory.
async fn read_ahead(open: &LocalOpen, search: &mut SearchState) -> Result<bool, Failure> {
    if search.end {
        return Ok(false);
    }
    let dots = match search.last_name.as_deref() {
        None => &[".", ".."][..],
        Some(".") => &[".."][..],
        Some(_) => &[][..],
    };
    if !dots.is_empty() {
        let stat = open.handle.stat().await?;
        let dots = dots.iter().map(|name| Entry { name: (*name).to_owned(), stat });
        search.ahead.extend(dots);
        return Ok(true);
    }
    let after = search.last_name.as_deref().filter(|name| !matches!(*name, "." | ".."));
    let batch = open.handle.list(after, BATCH).await?;
    search.end = batch.end;
    search.ahead.extend(batch.entries);
    Ok(!search.ahead.is_empty())
}

fn describe(entry: &Entry) -> DirectoryEntry {
    let stat: &FileStat = &entry.stat;
    let tag = if stat.kind == FileKind::Symlink { REPARSE_TAG_SYMLINK } else { 0 };
    DirectoryEntry {
        name: entry.name.clone(),
        creation_time: stat.times.creation,
        last_access_time: stat.times.access,
        last_write_time: stat.times.write,
        change_time: stat.times.change,
        end_of_file: stat.len,
        allocation_size: stat.allocated,
        attributes: stat.attributes,
        ea_size: tag,
        reparse_tag: tag,
        file_id: u128::from(stat.index_number()),
        ..DirectoryEntry::default()
    }
}

/// The position moves with a persistent open. Written lazily: a client that moves may be given
/// the entries of its last answer again.
fn note_position(ctx: &RequestContext, open: &LocalOpen, search: SearchState) {
    if !matches!(open.durability, Durability::Persistent { .. }) {
        return;
    }
    let Some(last_name) = search.last_name else { return };
    let command = Command::NoteSearch { open: open.open, pattern: search.pattern, last_name };
    let cluster = Arc::clone(&ctx.node.cluster);
    tokio::spawn(async move {
        if let Err(error) = cluster.submit(command).await {
            tracing::debug!(%error, "a listing's position is not noted");
        }
    });
}
