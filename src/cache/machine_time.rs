//! The machine's two clocks: the one that counts since boot, through suspension, and the one that shows the time of day.

use std::{fmt, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// One reading of both clocks. Freshness is measured with the first; that both moved alike proves that neither stood still
/// nor jumped (R13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineTime {
    /// Since boot, counting suspension.
    pub boot: Duration,
    /// Since 1970, by the machine's idea of the time of day.
    pub wall: Duration,
}

impl MachineTime {
    /// What both clocks show. The tests' manual clock has no part in this: it is about this machine, not about the time that
    /// rules are applied to.
    #[must_use]
    pub fn read() -> Self {
        #[cfg(target_os = "linux")]
        let since_boot = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let since_boot = ClockId::Monotonic;
        Self { boot: read_clock(since_boot), wall: read_clock(ClockId::Realtime) }
    }
}

/// Reads a machine's two clocks.
pub trait MachineClock: fmt::Debug + Send + Sync + 'static {
    /// What both clocks show.
    fn read(&self) -> MachineTime;
}

/// The clocks of the machine this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisMachine;

impl MachineClock for ThisMachine {
    fn read(&self) -> MachineTime {
        MachineTime::read()
    }
}

fn read_clock(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
