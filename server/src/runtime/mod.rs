//! The only part that touches sockets: the listener and one task per connection. Also runs in
//! the simulator, whose sockets send only when they are flushed.

#[cfg(test)]
mod attribute_tests;
#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod compound_tests;
mod connection_task;
#[cfg(test)]
mod data_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod info_tests;
mod listener;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod protection_tests;
#[cfg(test)]
mod status_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unanswered_tests;

pub use connection_task::serve;
pub use listener::Listener;
