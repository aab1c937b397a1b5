/// Names with their values, in the order they were written.
pub type Properties = Vec<(String, Value)>;

/// One AMF0 value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double: AMF0 has no integers.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text of any length; written as a long string where it must be. Bytes that are not UTF-8 are replaced on reading.
    String(String),
    /// An anonymous object.
    Object(Properties),
    /// Nothing.
    Null,
    /// Less than nothing.
    Undefined,
    /// An earlier object of the same message, by its number. It is carried, not followed.
    Reference(u16),
    /// An object that says it is an array, as `onMetaData` does.
    EcmaArray(Properties),
    /// Values without names.
    StrictArray(Vec<Value>),
    /// A moment.
    Date {
        /// Milliseconds since 1970 UTC.
        unix_ms: f64,
        /// Minutes from UTC; reserved, and zero from every known writer.
        zone: i16,
    },
    /// A value that its writer could not express.
    Unsupported,
    /// An XML document as text.
    Xml(String),
    /// An object of a named class.
    Typed {
        /// The class.
        class: String,
        /// Its properties.
        properties: Properties,
    },
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value; some writers say it as a number.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Number(number) => Some(*number != 0.0),
            _ => None,
        }
    }

    /// The properties of an object or associative array.
    pub fn properties(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) | Self::Typed { properties, .. } => Some(properties),
            _ => None,
        }
    }

    /// The property called `name`.
    pub fn property(&self, name: &str) -> Option<&Self> {
        self.properties()?
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}
