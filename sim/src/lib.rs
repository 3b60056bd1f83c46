//! The whole of Holdfast in a deterministic simulation: worlds, faults, clients, checkers.
