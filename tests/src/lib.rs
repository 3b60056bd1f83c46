//! Runners that judge built Holdfast binaries with real clients, and the rules of the repository.
