//! A recorder that keeps everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// What was recorded, by `name{label=value,…}`; clones record together.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    described: BTreeMap<String, (&'static str, Option<Unit>)>,
    values: BTreeMap<String, Vec<f64>>,
}

impl Kept {
    /// The sums of counters and gauges, and the values of histograms, in one line each.
    pub fn lines(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let line = |(name, values): (&String, &Vec<f64>)| {
            if name.contains("seconds") {
                format!("{name} {values:?}")
            } else {
                format!("{name} {}", values.iter().sum::<f64>())
            }
        };
        state.values.iter().map(line).collect()
    }

    /// The names without labels.
    pub fn names(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let mut names: Vec<_> =
            state.values.keys().map(|key| key.split('{').next().unwrap_or_default().to_owned()).collect();
        names.dedup();
        names
    }

    /// Name, kind and unit of what was described.
    pub fn described(&self) -> Vec<(String, &'static str, Option<Unit>)> {
        let state = self.0.lock().unwrap();
        state.described.iter().map(|(name, (kind, unit))| (name.clone(), *kind, *unit)).collect()
    }

    fn describe(&self, name: &KeyName, kind: &'static str, unit: Option<Unit>, description: &str) {
        assert!(!description.is_empty());
        self.0.lock().unwrap().described.insert(name.as_str().to_owned(), (kind, unit));
    }

    fn cell(&self, key: &Key) -> Arc<Cell> {
        let mut labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        Arc::new(Cell { kept: self.clone(), name: format!("{}{{{}}}", key.name(), labels.join(",")) })
    }
}

struct Cell {
    kept: Kept,
    name: String,
}

impl Cell {
    fn add(&self, value: f64) {
        self.kept.0.lock().unwrap().values.entry(self.name.clone()).or_default().push(value);
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.add(u32::try_from(value).unwrap().into());
    }

    fn absolute(&self, _: u64) {
        panic!("counters only count");
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        panic!("a gauge that several layers share cannot be set");
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, "counter", unit, &description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, "gauge", unit, &description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, "histogram", unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}
