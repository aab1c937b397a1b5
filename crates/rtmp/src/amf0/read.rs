use super::{Error, Properties, Value, marker};
use crate::fields::Fields;

/// How much one message may make its reader build.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// How deep values may be nested.
    pub depth: usize,
    /// How many values there may be.
    pub values: usize,
}

impl Default for Budget {
    fn default() -> Self {
        let limits = crate::Limits::default();
        Self {
            depth: limits.amf_depth_max,
            values: limits.amf_values_max,
        }
    }
}

/// Reads values one after the other.
pub struct Reader<'a> {
    fields: Fields<'a>,
    budget: Budget,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8], budget: Budget) -> Self {
        Self {
            fields: Fields::new(bytes),
            budget,
            depth: 0,
            values: 0,
        }
    }

    /// Whether all values have been read.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The next value.
    pub fn value(&mut self) -> Result<Value, Error> {
        self.count()?;
        match self.u8()? {
            marker::NUMBER => self.number().map(Value::Number),
            marker::BOOLEAN => Ok(Value::Boolean(self.u8()? != 0)),
            marker::STRING => self.short_string().map(Value::String),
            marker::OBJECT => self.nested(|reader| Ok(Value::Object(reader.properties()?))),
            marker::NULL => Ok(Value::Null),
            marker::UNDEFINED => Ok(Value::Undefined),
            marker::REFERENCE => Ok(Value::Reference(self.be16()?)),
            marker::ECMA_ARRAY => self.nested(Self::ecma_array),
            marker::STRICT_ARRAY => self.nested(Self::strict_array),
            marker::DATE => self.date(),
            marker::LONG_STRING => self.long_string().map(Value::String),
            marker::UNSUPPORTED => Ok(Value::Unsupported),
            marker::XML => self.long_string().map(Value::Xml),
            marker::TYPED_OBJECT => self.nested(Self::typed_object),
            unknown => Err(Error::Marker(unknown)),
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.values = self.values.saturating_add(1);
        if self.values > self.budget.values {
            return Err(Error::Count(self.budget.values));
        }
        Ok(())
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Value, Error>) -> Result<Value, Error> {
        if self.depth >= self.budget.depth {
            return Err(Error::Depth(self.budget.depth));
        }
        self.depth = self.depth.saturating_add(1);
        let value = read(self);
        self.depth = self.depth.saturating_sub(1);
        value
    }

    fn properties(&mut self) -> Result<Properties, Error> {
        let mut properties = Vec::new();
        loop {
            let name = self.short_string()?;
            if name.is_empty() && self.at_object_end() {
                self.u8()?;
                return Ok(properties);
            }
            properties.push((name, self.value()?));
        }
    }

    // The count is a hint that writers get wrong, and some leave out the end marker when the array is the last value:
    // the bytes decide.
    fn ecma_array(&mut self) -> Result<Value, Error> {
        self.be32()?;
        let mut properties = Vec::new();
        while !self.fields.is_empty() {
            let name = self.short_string()?;
            if name.is_empty() && self.at_object_end() {
                self.u8()?;
                break;
            }
            properties.push((name, self.value()?));
        }
        Ok(Value::EcmaArray(properties))
    }

    // Nothing is reserved for the promised count: each value must come first.
    fn strict_array(&mut self) -> Result<Value, Error> {
        let count = self.be32()?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value()?);
        }
        Ok(Value::StrictArray(values))
    }

    fn date(&mut self) -> Result<Value, Error> {
        let unix_ms = self.number()?;
        let zone = i16::from_be_bytes(self.fields.array().ok_or(Error::Truncated)?);
        Ok(Value::Date { unix_ms, zone })
    }

    fn typed_object(&mut self) -> Result<Value, Error> {
        let class = self.short_string()?;
        let properties = self.properties()?;
        Ok(Value::Typed { class, properties })
    }

    fn at_object_end(&self) -> bool {
        self.fields.rest().first() == Some(&marker::OBJECT_END)
    }

    fn short_string(&mut self) -> Result<String, Error> {
        let len = self.be16()?;
        self.text(usize::from(len))
    }

    fn long_string(&mut self) -> Result<String, Error> {
        let len = self.be32()?;
        self.text(len as usize)
    }

    fn text(&mut self, len: usize) -> Result<String, Error> {
        let bytes = self.fields.slice(len).ok_or(Error::Truncated)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn number(&mut self) -> Result<f64, Error> {
        self.fields.f64().ok_or(Error::Truncated)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.fields.u8().ok_or(Error::Truncated)
    }

    fn be16(&mut self) -> Result<u16, Error> {
        self.fields.be16().ok_or(Error::Truncated)
    }

    fn be32(&mut self) -> Result<u32, Error> {
        self.fields.be32().ok_or(Error::Truncated)
    }
}
