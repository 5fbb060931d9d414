//! Reading pprof files, by the field numbers of the public profile.proto. On purpose not by the
//! code that writes them.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use prost::Message;

/// A stack with what is known about it.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Frames, outermost first, inlined ones after what they are inlined into.
    pub frames: Vec<Frame>,
    /// Samples.
    pub count: i64,
    /// CPU time.
    pub nanoseconds: i64,
    /// Numeric labels.
    pub numbers: BTreeMap<String, i64>,
    /// Text labels.
    pub texts: BTreeMap<String, String>,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function's name.
    pub name: String,
    /// Its name in the symbol table.
    pub system_name: String,
    /// Its source file.
    pub file: String,
    /// The line.
    pub line: i64,
    /// Path of the module, empty outside any.
    pub module: String,
    /// It has no frame of its own, but is part of the one before.
    pub inlined: bool,
}

/// A mapping.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its file.
    pub path: String,
    /// Its build id.
    pub build_id: String,
    /// The mapped range.
    pub range: std::ops::Range<u64>,
}

/// A pprof file.
#[derive(Debug)]
pub struct Pprof {
    /// Sample types as `samples/count`.
    pub types: Vec<String>,
    /// All stacks.
    pub stacks: Vec<Stack>,
    /// All mappings.
    pub modules: Vec<Module>,
}

impl Pprof {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is not a valid pprof file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let packed = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_end(&mut bytes)
            .expect("pprof files are gzip");
        let message = proto::Profile::decode(bytes.as_slice()).expect("a pprof message");
        Reader::new(&message).read()
    }

    /// All samples.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.stacks.iter().map(|s| s.count).sum()
    }

    /// The samples of stacks with a property.
    pub fn count_where(&self, wanted: impl Fn(&Stack) -> bool) -> i64 {
        let stacks = self.stacks.iter().filter(|s| wanted(s));
        stacks.map(|s| s.count).sum()
    }
}

impl Stack {
    /// Whether a function is on the stack.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.frames.iter().any(|f| f.name == name)
    }

    /// The stack for a message: labels, then frames from the outermost.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} × {:?} {:?}\n", self.count, self.numbers, self.texts);
        for frame in &self.frames {
            let module = frame.module.rsplit('/').next().unwrap_or_default();
            text += &format!("    {}  ({module})\n", frame.name);
        }
        text
    }
}

/// The message with its references resolved.
struct Reader<'a> {
    message: &'a proto::Profile,
    functions: HashMap<u64, &'a proto::Function>,
    locations: HashMap<u64, &'a proto::Location>,
    mappings: HashMap<u64, &'a proto::Mapping>,
}

impl<'a> Reader<'a> {
    fn new(message: &'a proto::Profile) -> Self {
        Self {
            message,
            functions: message.function.iter().map(|f| (f.id, f)).collect(),
            locations: message.location.iter().map(|l| (l.id, l)).collect(),
            mappings: message.mapping.iter().map(|m| (m.id, m)).collect(),
        }
    }

    fn read(&self) -> Pprof {
        let kind = |t: &proto::ValueType| format!("{}/{}", self.text(t.r#type), self.text(t.unit));
        let module = |m: &proto::Mapping| Module {
            path: self.text(m.filename),
            build_id: self.text(m.build_id),
            range: m.memory_start..m.memory_limit,
        };
        Pprof {
            types: self.message.sample_type.iter().map(kind).collect(),
            stacks: self.message.sample.iter().map(|s| self.stack(s)).collect(),
            modules: self.message.mapping.iter().map(module).collect(),
        }
    }

    fn text(&self, id: i64) -> String {
        let text = usize::try_from(id)
            .ok()
            .and_then(|id| self.message.string_table.get(id));
        text.unwrap_or_else(|| panic!("string {id} is not in the table"))
            .clone()
    }

    fn stack(&self, sample: &proto::Sample) -> Stack {
        let types = self.message.sample_type.len();
        assert_eq!(
            sample.value.len(),
            types,
            "a sample has a value of each type"
        );
        let mut stack = Stack {
            frames: Vec::new(),
            count: sample.value[0],
            nanoseconds: sample.value.get(1).copied().unwrap_or(0),
            numbers: BTreeMap::new(),
            texts: BTreeMap::new(),
        };
        for label in &sample.label {
            let key = self.text(label.key);
            if label.str == 0 {
                stack.numbers.insert(key, label.num);
            } else {
                stack.texts.insert(key, self.text(label.str));
            }
        }
        for id in sample.location_id.iter().rev() {
            self.frames(self.locations[id], &mut stack.frames);
        }
        stack
    }

    fn frames(&self, location: &proto::Location, frames: &mut Vec<Frame>) {
        let module = self
            .mappings
            .get(&location.mapping_id)
            .map(|m| self.text(m.filename))
            .unwrap_or_default();
        for (place, line) in location.line.iter().rev().enumerate() {
            let function = self.functions[&line.function_id];
            frames.push(Frame {
                name: self.text(function.name),
                system_name: self.text(function.system_name),
                file: self.text(function.filename),
                line: line.line,
                module: module.clone(),
                inlined: place > 0,
            });
        }
    }
}

/// The messages, as far as they are needed.
mod proto {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Profile {
        #[prost(message, repeated, tag = "1")]
        pub(super) sample_type: Vec<ValueType>,
        #[prost(message, repeated, tag = "2")]
        pub(super) sample: Vec<Sample>,
        #[prost(message, repeated, tag = "3")]
        pub(super) mapping: Vec<Mapping>,
        #[prost(message, repeated, tag = "4")]
        pub(super) location: Vec<Location>,
        #[prost(message, repeated, tag = "5")]
        pub(super) function: Vec<Function>,
        #[prost(string, repeated, tag = "6")]
        pub(super) string_table: Vec<String>,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct ValueType {
        #[prost(int64, tag = "1")]
        pub(super) r#type: i64,
        #[prost(int64, tag = "2")]
        pub(super) unit: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Sample {
        #[prost(uint64, repeated, tag = "1")]
        pub(super) location_id: Vec<u64>,
        #[prost(int64, repeated, tag = "2")]
        pub(super) value: Vec<i64>,
        #[prost(message, repeated, tag = "3")]
        pub(super) label: Vec<Label>,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Label {
        #[prost(int64, tag = "1")]
        pub(super) key: i64,
        #[prost(int64, tag = "2")]
        pub(super) str: i64,
        #[prost(int64, tag = "3")]
        pub(super) num: i64,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Mapping {
        #[prost(uint64, tag = "1")]
        pub(super) id: u64,
        #[prost(uint64, tag = "2")]
        pub(super) memory_start: u64,
        #[prost(uint64, tag = "3")]
        pub(super) memory_limit: u64,
        #[prost(int64, tag = "5")]
        pub(super) filename: i64,
        #[prost(int64, tag = "6")]
        pub(super) build_id: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Location {
        #[prost(uint64, tag = "1")]
        pub(super) id: u64,
        #[prost(uint64, tag = "2")]
        pub(super) mapping_id: u64,
        #[prost(message, repeated, tag = "4")]
        pub(super) line: Vec<Line>,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Line {
        #[prost(uint64, tag = "1")]
        pub(super) function_id: u64,
        #[prost(int64, tag = "2")]
        pub(super) line: i64,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Function {
        #[prost(uint64, tag = "1")]
        pub(super) id: u64,
        #[prost(int64, tag = "2")]
        pub(super) name: i64,
        #[prost(int64, tag = "3")]
        pub(super) system_name: i64,
        #[prost(int64, tag = "4")]
        pub(super) filename: i64,
    }
}
