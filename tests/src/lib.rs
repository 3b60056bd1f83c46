//! Runners that judge built Holdfast binaries with real clients, and the rules of the repository.
//!
//! The runners are programs of their own (`tests/run` calls them); what is compiled here are the
//! rules, as ordinary tests in `tidy`.
