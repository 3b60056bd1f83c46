//! FileFullEaInformation ([MS-SMB2] 3.3.5.20.1, [MS-FSA] 2.1.5.12.12): all attributes of a file
//! bit by bit, those from some number on, or those of some names.

use holdfast_proto::NtStatus;
use holdfast_proto::info::Information;
use holdfast_proto::info::file::{EaEntry, FileFullEaInformation, FileGetEaInformation};
use holdfast_proto::msg::query_info::{QueryInfoFlags, QueryInfoRequest};
use holdfast_proto::wire::{Reader, Writer};

use super::Answer;
use crate::dispatch::Failure;
use crate::session::LocalOpen;

pub(super) async fn answer(
    open: &LocalOpen,
    request: &QueryInfoRequest,
) -> Result<Answer, Failure> {
    let mut all = all(open).await?;
    let scans =
        request.input.is_empty() && !request.flags.contains(QueryInfoFlags::INDEX_SPECIFIED);
    let mut wanted = if !request.input.is_empty() {
        named(&all, request)?
    } else {
        let first = if scans { scan_from(open, request) } else { index(&all, request)? };
        all.split_off(first.min(all.len()))
    };
    if request.flags.contains(QueryInfoFlags::RETURN_SINGLE_ENTRY) {
        wanted.truncate(1);
    }
    let (answer, count) = fit(wanted, request)?;
    if scans {
        open.state.lock().attributes_told += count;
    }
    Ok(answer)
}

async fn all(open: &LocalOpen) -> Result<Vec<EaEntry>, Failure> {
    let attributes = open.handle.extended_attributes().await?;
    let entries = attributes.into_iter().map(|(name, value)| EaEntry {
        flags: 0,
        name: name.into_bytes(),
        value: value.to_vec(),
    });
    Ok(entries.collect())
}

/// EaList: those of the names, in its order. One that the file does not have is passed over.
fn named(all: &[EaEntry], request: &QueryInfoRequest) -> Result<Vec<EaEntry>, Failure> {
    let names = FileGetEaInformation::decode(&mut Reader::of(&request.input));
    let names = names.map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
    let find = |name: &Vec<u8>| all.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
    Ok(names.0.iter().filter_map(find).cloned().collect())
}

/// How many entries come before EaIndex, which begins with 1.
fn index(all: &[EaEntry], request: &QueryInfoRequest) -> Result<usize, Failure> {
    let index = request.additional_information as usize;
    if index == 0 || index > all.len() {
        return Err(NtStatus::NONEXISTENT_EA_ENTRY.into());
    }
    Ok(index - 1)
}

/// How many entries come before Open.CurrentEaIndex.
fn scan_from(open: &LocalOpen, request: &QueryInfoRequest) -> usize {
    let mut state = open.state.lock();
    if request.flags.contains(QueryInfoFlags::RESTART_SCAN) {
        state.attributes_told = 0;
    }
    state.attributes_told
}

/// As many whole entries as the client has room for, and how many they are.
fn fit(entries: Vec<EaEntry>, request: &QueryInfoRequest) -> Result<(Answer, usize), Failure> {
    if entries.is_empty() {
        return Err(NtStatus::NO_EAS_ON_FILE.into());
    }
    let list = FileFullEaInformation(entries);
    let mut w = Writer::new();
    let count = list.encode_within(&mut w, request.output_buffer_length as usize);
    let status = match count {
        0 => return Err(NtStatus::BUFFER_TOO_SMALL.into()),
        count if count < list.0.len() => NtStatus::BUFFER_OVERFLOW,
        _ => NtStatus::SUCCESS,
    };
    Ok((Answer { status, output: w.into_bytes() }, count))
}
