//! A subscriber that writes down whatever it hears.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Write};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// Hears everything up to its level; clones hear together.
#[derive(Clone)]
pub struct Capture {
    level: Level,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
pub struct Heard {
    pub events: Vec<Told>,
    pub spans: Vec<Span>,
    /// The spans that each thread has entered.
    entered: HashMap<ThreadId, Vec<u64>>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Told {
    pub level: Level,
    pub target: String,
    pub fields: BTreeMap<String, String>,
    /// The name of the span it is in, and those around that.
    pub spans: Vec<u64>,
}

#[derive(Debug)]
pub struct Span {
    pub name: String,
    pub target: String,
    pub level: Level,
    pub fields: BTreeMap<String, String>,
    pub parent: Option<u64>,
    pub follows: Vec<u64>,
    handles: usize,
    metadata: &'static Metadata<'static>,
}

impl Span {
    /// Whether nobody holds it any more, so that a registry would close it.
    pub fn is_closed(&self) -> bool {
        self.handles == 0
    }
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Heard {
    fn entered(&mut self) -> &mut Vec<u64> {
        self.entered.entry(thread::current().id()).or_default()
    }
}

impl Told {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The event in one line: the last part of the target, then the fields by their names.
    pub fn line(&self) -> String {
        let target = self.target.strip_prefix("tower_lambda_authorizer::").unwrap_or(&self.target);
        let mut line = format!("{} {target} {}", self.level, self.field("message"));
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "message") {
            write!(line, " {name}={value}").unwrap();
        }
        line
    }
}

impl Capture {
    pub fn new(level: Level) -> Self {
        // While there is but one subscriber, `tracing` asks the thread that comes by an event first whether anybody will
        // ever hear of it, and in a test beside this one nobody would.
        static ANOTHER: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(Capture { level: Level::TRACE, heard: Arc::default() }));
        LazyLock::force(&ANOTHER);
        Self { level, heard: Arc::default() }
    }

    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    /// The events of ours that were not taken yet.
    pub fn take(&self) -> Vec<Told> {
        let events = std::mem::take(&mut self.heard().events);
        events.into_iter().filter(|event| event.target.starts_with("tower_lambda_authorizer::")).collect()
    }

    /// The same, of which there is one.
    pub fn take_one(&self) -> Told {
        let events = self.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.into_iter().next().unwrap()
    }

    fn clone_handle(&self, id: &Id, change: impl FnOnce(usize) -> usize) -> usize {
        let mut heard = self.heard();
        let span = &mut heard.spans[usize::try_from(id.into_u64()).unwrap() - 1];
        span.handles = change(span.handles);
        span.handles
    }
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    /// Other threads have subscribers of their own, so nothing may be settled once for all.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut heard = self.heard();
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let parent = match span.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if span.is_contextual() => heard.entered().last().copied(),
            None => None,
        };
        let metadata = span.metadata();
        heard.spans.push(Span {
            name: metadata.name().to_owned(),
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            fields,
            parent,
            follows: Vec::new(),
            handles: 1,
            metadata,
        });
        Id::from_u64(heard.spans.len().try_into().unwrap())
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let mut heard = self.heard();
        heard.spans[usize::try_from(span.into_u64()).unwrap() - 1].follows.push(follows.into_u64());
    }

    fn event(&self, event: &Event<'_>) {
        let mut heard = self.heard();
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let (level, target) = (*event.metadata().level(), event.metadata().target().to_owned());
        let spans = heard.entered().clone();
        heard.events.push(Told { level, target, fields, spans });
    }

    fn enter(&self, span: &Id) {
        self.heard().entered().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let left = self.heard().entered().pop();
        assert_eq!(left, Some(span.into_u64()), "spans are left in the order in which they were entered");
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.clone_handle(id, |handles| handles + 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.clone_handle(&id, |handles| handles - 1) == 0
    }

    fn current_span(&self) -> Current {
        let mut heard = self.heard();
        let Some(id) = heard.entered().last().copied() else { return Current::none() };
        let span = &heard.spans[usize::try_from(id).unwrap() - 1];
        Current::new(Id::from_u64(id), span.metadata)
    }
}
