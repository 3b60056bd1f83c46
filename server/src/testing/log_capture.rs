//! What the code under test tells the log.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{self, DefaultGuard};

/// Takes what a test and its tasks log, which `tokio::test` runs on the test's own thread.
pub(crate) struct LogCapture {
    written: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl LogCapture {
    /// Takes everything of that level and above from now on.
    pub(crate) fn begin(level: LevelFilter) -> LogCapture {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(move || Sink(sink.clone()))
            .finish();
        LogCapture { written, _guard: subscriber::set_default(subscriber) }
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.written.lock().clone()).expect("text")
    }

    /// The lines that have all of these parts.
    pub(crate) fn lines_with(&self, parts: &[&str]) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
        lines.map(str::to_owned).collect()
    }
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
