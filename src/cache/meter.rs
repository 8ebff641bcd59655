//! Counts what the cache did, for the operator's dashboards (docs/freshness.md).

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use super::{Bypass, Settlement};

/// What one gateway's cache did since it started. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    reads: Family<ReadLabels, Counter>,
    fills: Family<FillLabels, Counter>,
    waits: Family<RevocationLabels, Histogram, Waits>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { reads: Family::default(), fills: Family::default(), waits: Family::new_with_constructor(Waits) }
    }
}

/// What is true at the moment of a collection.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Present {
    /// How old the last reading of the database is; `None` where none is needed, or before the first.
    pub(super) lease_age: Option<Duration>,
    /// Whether the cache keeps what it acknowledges; `None` while that is not known.
    pub(super) trusted: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FillLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevocationLabels {
    mode: &'static str,
}

/// Makes the histograms of waits: fine below the milliseconds of a round trip, and around the second of a lease.
#[derive(Debug, Clone, Copy, Default)]
struct Waits;

impl MetricConstructor<Histogram> for Waits {
    fn new_metric(&self) -> Histogram {
        Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.1, 1.25, 1.5, 2.5])
    }
}

/// How a caller's grants were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// By an entry that was proven fresh.
    Hit,
    /// There was none: the database was asked, and the answer may be stored.
    Miss,
    /// The cache could not say: the database was asked, and nothing is stored.
    Bypass(&'static str),
    /// The presented secret is not the token's.
    Refused,
    /// Neither the cache nor the database had an answer.
    Unavailable,
}

impl Meter {
    pub(super) fn read(&self, read: Read) {
        let (outcome, reason) = match read {
            Read::Hit => ("hit", ""),
            Read::Miss => ("miss", ""),
            Read::Bypass(reason) => ("bypass", reason),
            Read::Refused => ("refused", ""),
            Read::Unavailable => ("unavailable", ""),
        };
        self.reads.get_or_create(&ReadLabels { outcome, reason }).inc();
    }

    /// An entry was stored, or refused because something had changed meanwhile.
    pub(super) fn fill(&self, stored: bool) {
        self.fills.get_or_create(&FillLabels { outcome: if stored { "stored" } else { "refused" } }).inc();
    }

    /// A change became visible, so long after its commit.
    pub(super) fn settled(&self, settlement: Settlement, after: Duration) {
        let mode = match settlement {
            Settlement::Acknowledged => "immediate",
            Settlement::Waited(_) => "lease",
        };
        self.waits.get_or_create(&RevocationLabels { mode }).observe(after.as_secs_f64());
    }

    /// Everything, in the text form of `OpenMetrics` 1.0.
    pub(super) fn text(&self, present: Present) -> String {
        let mut registry = Registry::with_prefix("gatehouse");
        registry.register(
            "grant_reads",
            "Readings of a caller's grants: by an entry proven fresh (hit), from the database because there was none (miss) or \
             because the cache could not say (bypass, with the reason), refused for a wrong secret, or unavailable",
            self.reads.clone(),
        );
        registry.register(
            "grant_fills",
            "Entries offered to the cache: stored, or refused because something had changed meanwhile",
            self.fills.clone(),
        );
        registry.register_with_unit(
            "revocation",
            "From a change's commit until every gateway honours it: at once (immediate) or by waiting (lease)",
            Unit::Seconds,
            self.waits.clone(),
        );
        if let Some(age) = present.lease_age {
            let gauge = Gauge::<f64, AtomicU64>::default();
            gauge.set(age.as_secs_f64());
            registry.register_with_unit(
                "database_lease_age",
                "Age of this gateway's last reading of moved stamps; above 1 no cached entry is used",
                Unit::Seconds,
                gauge,
            );
        }
        if let Some(trusted) = present.trusted {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::from(trusted));
            registry.register("redis_trusted", "1 where Redis keeps what it acknowledges, 0 where changes wait", gauge);
        }
        let mut written = String::new();
        // Writing to a `String` never fails.
        let _ = text::encode(&mut written, &registry);
        written
    }
}

/// Why the cache could not say, as a label.
pub(super) const fn reason(bypass: Bypass) -> &'static str {
    match bypass {
        Bypass::NoCache => "no_cache",
        Bypass::Unreachable => "unreachable",
        Bypass::Late => "late",
        Bypass::Resting => "resting",
        Bypass::Desynchronized => "desynchronized",
    }
}
