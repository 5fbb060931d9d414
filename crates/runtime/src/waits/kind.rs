//! The kinds of waits, by the runtime's words for them (`waitReasonStrings`, runtime/runtime2.go,
//! Go 1.19 to 1.27). Up to Go 1.19 all locks are "semacquire"; then the parked functions tell more.

/// What a wait reason says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitKind {
    /// Receiving from a channel.
    Receive,
    /// Sending to a channel.
    Send,
    /// Receiving from the nil channel: for ever.
    NilReceive,
    /// Sending to the nil channel: for ever.
    NilSend,
    /// One of several channels.
    Select,
    /// A select without cases, or of nil channels only: for ever.
    NoCases,
    /// sync.Mutex
    Mutex,
    /// sync.RWMutex, to read.
    ReadLock,
    /// sync.RWMutex, to write.
    WriteLock,
    /// sync.WaitGroup
    Group,
    /// sync.Cond
    Cond,
    /// A semaphore of which nothing more is said.
    Semaphore,
    /// time.Sleep
    Sleep,
    /// A descriptor.
    Io,
    /// The other side of an iter.Pull.
    Coroutine,
    /// Anything else: the runtime's own business.
    Other,
}

impl WaitKind {
    /// The kind that these words stand for.
    #[must_use]
    pub fn of(words: &str) -> Self {
        match words {
            "chan receive" | "chan receive (synctest)" | "chan receive (durable)" => Self::Receive,
            "chan send" | "chan send (synctest)" | "chan send (durable)" => Self::Send,
            "chan receive (nil chan)" => Self::NilReceive,
            "chan send (nil chan)" => Self::NilSend,
            "select" | "select (synctest)" | "select (durable)" => Self::Select,
            "select (no cases)" => Self::NoCases,
            "sync.Mutex.Lock" => Self::Mutex,
            "sync.RWMutex.RLock" => Self::ReadLock,
            "sync.RWMutex.Lock" => Self::WriteLock,
            "sync.WaitGroup.Wait" | "sync.WaitGroup.Wait (durable)" => Self::Group,
            "sync.Cond.Wait" | "sync.Cond.Wait (durable)" => Self::Cond,
            "semacquire" => Self::Semaphore,
            "sleep" => Self::Sleep,
            "IO wait" => Self::Io,
            "coroutine" => Self::Coroutine,
            _ => Self::Other,
        }
    }

    /// Whether it waits on a semaphore or a condition's list.
    #[must_use]
    pub fn on_semaphore(self) -> bool {
        matches!(
            self,
            Self::Mutex
                | Self::ReadLock
                | Self::WriteLock
                | Self::Group
                | Self::Cond
                | Self::Semaphore
        )
    }

    /// Whether it waits on channels.
    #[must_use]
    pub fn on_channels(self) -> bool {
        matches!(self, Self::Receive | Self::Send | Self::Select)
    }

    /// Whether nothing at all can end it.
    #[must_use]
    pub fn for_ever(self) -> bool {
        matches!(self, Self::NilReceive | Self::NilSend | Self::NoCases)
    }

    /// Whether the stack is needed to find what it waits on.
    #[must_use]
    pub fn needs_stack(self) -> bool {
        self == Self::Io || self.on_semaphore()
    }
}
