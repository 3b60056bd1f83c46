//! Requests and responses of every command.

use bytes::Bytes;

use crate::header::Header;
use crate::msg::{Request, Response};

/// Forgets what encoding does not keep: repeated contexts, and where data began.
fn canonical_request(mut request: Request) -> Request {
    match &mut request {
        Request::Create(create) => create.contexts.duplicates.clear(),
        Request::Negotiate(negotiate) => negotiate.contexts.duplicates.clear(),
        Request::Write(write) => write.data_offset = 0,
        _ => {}
    }
    request
}

fn canonical_response(mut response: Response) -> Response {
    match &mut response {
        Response::Create(create) => create.contexts.duplicates.clear(),
        Response::Negotiate(negotiate) => negotiate.contexts.duplicates.clear(),
        _ => {}
    }
    response
}

/// A whole request.
pub(super) fn requests(bytes: &[u8]) {
    let message = Bytes::copy_from_slice(bytes);
    let Ok(header) = Header::decode(&message) else { return };
    let Ok(request) = Request::decode(header.command, &message) else { return };
    let request = canonical_request(request);
    let again = Request::decode(header.command, &request.to_message(&header).to_bytes());
    assert_eq!(again.map(canonical_request), Ok(request));
}

/// A whole response or notification.
pub(super) fn responses(bytes: &[u8]) {
    let message = Bytes::copy_from_slice(bytes);
    let Ok(header) = Header::decode(&message) else { return };
    let Ok(response) = Response::decode(&header, &message) else { return };
    let response = canonical_response(response);
    let again = Response::decode(&header, &response.to_message(&header).to_bytes());
    assert_eq!(again.map(canonical_response), Ok(response));
}
