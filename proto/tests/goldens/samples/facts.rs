//! QUERY_DIRECTORY, CHANGE_NOTIFY, QUERY_INFO and SET_INFO.

use bytes::Bytes;
use holdfast_proto::msg::change_notify::{ChangeNotifyFlags, CompletionFilter};
use holdfast_proto::msg::query_directory::QueryDirectoryFlags;
use holdfast_proto::msg::query_info::{InfoType, QueryInfoFlags, SecurityInformation};
use holdfast_proto::msg::*;
use holdfast_proto::{NtStatus, Opcode};

use super::{Sample, request, response, response_header, with_header};

const FILE_ID: FileId = FileId { persistent: 0x0102_0304, volatile: 0x0506_0708 };
const OUTPUT: Bytes = Bytes::from_static(b"as the class has it");

fn directory() -> Vec<Sample> {
    let all = QueryDirectoryRequest {
        file_information_class: 37,
        flags: QueryDirectoryFlags::RESTART_SCANS | QueryDirectoryFlags::RETURN_SINGLE_ENTRY,
        file_index: 3,
        file_id: FILE_ID,
        file_name: "*.txt".into(),
        output_buffer_length: 65_536,
    };
    let empty = QueryDirectoryRequest { file_name: String::new(), ..all.clone() };
    let watch = ChangeNotifyRequest {
        flags: ChangeNotifyFlags::WATCH_TREE,
        output_buffer_length: 4096,
        file_id: FILE_ID,
        completion_filter: CompletionFilter::FILE_NAME | CompletionFilter::LAST_WRITE,
    };
    let (query, notify) = (Opcode::QUERY_DIRECTORY, Opcode::CHANGE_NOTIFY);
    let entries = QueryDirectoryResponse { output: OUTPUT };
    let changes = ChangeNotifyResponse { output: OUTPUT };
    let too_many = response_header(notify, NtStatus::NOTIFY_ENUM_DIR);
    let nothing = ChangeNotifyResponse::default();
    vec![
        request("query_directory_request", "pattern", "one entry, from the start", query, all),
        request("query_directory_request", "no_pattern", "an empty pattern", query, empty),
        response("query_directory_response", "entries", "some entries", query, entries),
        request("change_notify_request", "tree", "a whole tree", notify, watch),
        response("change_notify_response", "changes", "some changes", notify, changes),
        with_header("change_notify_response", "enum_dir", "too many to tell", too_many, nothing),
    ]
}

fn info() -> Vec<Sample> {
    let attributes = QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: 15,
        output_buffer_length: 1024,
        additional_information: 0,
        flags: QueryInfoFlags::RESTART_SCAN,
        file_id: FILE_ID,
        input: Bytes::from_static(b"\0\0\0\0\x02ea\0"),
    };
    let security = QueryInfoRequest {
        info_type: InfoType::SECURITY,
        file_info_class: 0,
        additional_information: (SecurityInformation::OWNER | SecurityInformation::DACL).0,
        flags: QueryInfoFlags::NONE,
        input: Bytes::new(),
        ..attributes.clone()
    };
    let rename = SetInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: 10,
        additional_information: 0,
        file_id: FILE_ID,
        buffer: OUTPUT,
    };
    let (query, set) = (Opcode::QUERY_INFO, Opcode::SET_INFO);
    let overflow = response_header(query, NtStatus::BUFFER_OVERFLOW);
    let output = || QueryInfoResponse { output: OUTPUT };
    vec![
        request("query_info_request", "attributes", "with input", query, attributes),
        request("query_info_request", "security", "owner and access list", query, security),
        response("query_info_response", "all", "all facts", query, output()),
        with_header("query_info_response", "overflow", "as many as fit", overflow, output()),
        request("set_info_request", "rename", "some facts", set, rename),
        response("set_info_response", "plain", "done", set, SetInfoResponse),
    ]
}

pub fn samples() -> Vec<Sample> {
    [directory(), info()].into_iter().flatten().collect()
}
