//! What a Holdfast cluster agrees on: the replicated state machine, and Raft around it.
