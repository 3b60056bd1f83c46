//! The asynchronous runtime that Raft runs on: real tokio, or the simulator, from one source.
//!
//! Everything goes through the `tokio` alias, which is the simulator's twin under `cfg(madsim)`.
//! Four things differ between the worlds and are settled here: the clock (a node's may run fast or
//! slow in the simulator), randomness, blocking work (no threads in the simulator) and the watch
//! channel (tokio's wakes several waiters in a random order, which would make equal seeds differ).

mod channels;
mod instant;
mod mutex;
mod ordered_watch;
mod random;
mod timeout;
#[cfg(not(madsim))]
mod tokio_watch;

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend};

pub use channels::{TokioMpsc, TokioOneshot};
pub use instant::ClusterInstant;
#[cfg(madsim)]
pub use instant::{clear_clock_skews, set_clock_skew};
pub use mutex::TokioMutex;
pub use ordered_watch::OrderedWatch;
pub use random::RuntimeRng;
pub use timeout::{Elapsed, Timeout};
#[cfg(not(madsim))]
pub use tokio_watch::TokioWatch;

/// The watch channel of this world.
#[cfg(not(madsim))]
pub type ClusterWatch = TokioWatch;
/// The watch channel of this world.
#[cfg(madsim)]
pub type ClusterWatch = OrderedWatch;

/// Raft's runtime. Raft uses its associated functions only, inside a runtime that is already
/// running; instances are made by tests, and in the simulator each is a world of its own.
pub struct ClusterRuntime {
    #[cfg(not(madsim))]
    runtime: tokio::runtime::Runtime,
    #[cfg(madsim)]
    runtime: madsim::runtime::Runtime,
}

impl fmt::Debug for ClusterRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterRuntime")
    }
}

impl AsyncRuntime for ClusterRuntime {
    type JoinError = tokio::task::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = tokio::task::JoinHandle<T>;
    type Sleep = tokio::time::Sleep;
    type Instant = ClusterInstant;
    type TimeoutError = Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = Timeout<T>;
    type ThreadLocalRng = RuntimeRng;
    type Mpsc = TokioMpsc;
    type Watch = ClusterWatch;
    type Oneshot = TokioOneshot;
    type Mutex<T: OptionalSend + 'static> = TokioMutex<T>;

    #[track_caller]
    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        tokio::task::spawn(future)
    }

    #[track_caller]
    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(instant::to_real(duration))
    }

    #[track_caller]
    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        tokio::time::sleep(instant::until(deadline))
    }

    #[track_caller]
    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        Timeout::new(future, Self::sleep(duration))
    }

    #[track_caller]
    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        Timeout::new(future, Self::sleep_until(deadline))
    }

    #[track_caller]
    fn is_panic(join_error: &Self::JoinError) -> bool {
        join_error.is_panic()
    }

    #[track_caller]
    fn thread_rng() -> Self::ThreadLocalRng {
        RuntimeRng::new()
    }

    #[cfg(not(madsim))]
    fn new(threads: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .enable_all()
            .build()
            .expect("the operating system gives threads for a runtime");
        Self { runtime }
    }

    #[cfg(madsim)]
    fn new(_threads: usize) -> Self {
        Self { runtime: madsim::runtime::Runtime::new() }
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.runtime.block_on(future)
    }

    fn spawn_blocking<F, T>(f: F) -> impl Future<Output = Result<T, io::Error>> + Send
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        blocking(f)
    }
}

/// Runs `f` where it may block: on tokio's pool of blocking threads, or, in the simulator, at once.
///
/// # Errors
/// `f` panicked, or the runtime is shutting down.
#[cfg(not(madsim))]
pub async fn blocking<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(f).await.map_err(io::Error::other)
}

/// Runs `f` where it may block: on tokio's pool of blocking threads, or, in the simulator, at once.
///
/// # Errors
/// None in the simulator.
#[cfg(madsim)]
pub async fn blocking<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Ok(f())
}

#[cfg(test)]
mod tests {
    use super::ClusterRuntime;

    #[test]
    fn passes_the_runtime_suite() {
        openraft::testing::runtime::Suite::<ClusterRuntime>::test_all();
    }

    #[cfg(madsim)]
    #[test]
    fn a_skewed_node_sees_time_pass_at_its_own_speed() {
        use super::{AsyncRuntime, ClusterInstant, clear_clock_skews, set_clock_skew};
        use openraft::Instant;
        use std::time::Duration;

        let world = madsim::runtime::Runtime::new();
        world.block_on(async {
            let fast = madsim::runtime::Handle::current().create_node().name("fast").build();
            set_clock_skew(fast.id(), 300_000);
            let start = tokio::time::Instant::now();
            let seen = fast.spawn(async {
                let start = ClusterInstant::now();
                ClusterRuntime::sleep(Duration::from_secs(13)).await;
                let deadline = ClusterInstant::now() + Duration::from_secs(13);
                ClusterRuntime::sleep_until(deadline).await;
                assert!(ClusterInstant::now() >= deadline);
                start.elapsed()
            });
            let seen = seen.await.unwrap();
            let passed = start.elapsed();
            let close = |a: Duration, secs: u64| a.abs_diff(Duration::from_secs(secs)).as_millis();
            assert!(close(seen, 26) < 20, "the node saw {seen:?}");
            assert!(close(passed, 20) < 20, "the world saw {passed:?}");
        });
        clear_clock_skews();
    }
}
