use crate::{
    Error, Message,
    amf0::{self, Budget, Value},
    message::kind,
};

/// A remote call, or the answer to one: a name, a number that pairs the two, and arguments.
///
/// The first argument is by custom an object that belongs to the command, often null.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What to do: `connect`, `publish`, `_result`.
    pub name: String,
    /// The caller's number; zero where no answer is wanted.
    pub transaction: f64,
    /// Everything after the number.
    pub arguments: Vec<Value>,
}

impl Command {
    /// A command with its arguments.
    pub fn new(name: &str, transaction: f64, arguments: Vec<Value>) -> Self {
        Self {
            name: name.to_owned(),
            transaction,
            arguments,
        }
    }

    /// Reads a command message's payload, AMF0 or flagged as AMF3.
    pub fn read(message: &Message, budget: Budget) -> Result<Self, Error> {
        let mut values = read_values(message, budget)?.into_iter();
        let Some(Value::String(name)) = values.next() else {
            return Err(amf0::Error::Expected("command name").into());
        };
        // Some players leave out the number of commands that are not answered.
        let transaction = values.next().as_ref().and_then(Value::as_number).unwrap_or(0.0);
        let arguments = values.collect();
        Ok(Self {
            name,
            transaction,
            arguments,
        })
    }

    /// The command as an AMF0 payload.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        amf0::write(&mut out, &Value::from(self.name.as_str()));
        amf0::write(&mut out, &Value::Number(self.transaction));
        self.arguments.iter().for_each(|value| amf0::write(&mut out, value));
        out
    }

    /// The argument at `index`, counted from the command object.
    pub fn argument(&self, index: usize) -> Option<&Value> {
        self.arguments.get(index)
    }

    /// The string at `index`, counted from the command object.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.argument(index)?.as_str()
    }

    /// The number at `index`, counted from the command object.
    pub fn number(&self, index: usize) -> Option<f64> {
        self.argument(index)?.as_number()
    }
}

/// The code of a status by which a server asks its client to connect anew.
pub(crate) const RECONNECT_REQUEST: &str = "NetConnection.Connect.ReconnectRequest";

/// All values of a command or data message.
pub(crate) fn read_values(message: &Message, budget: Budget) -> Result<Vec<Value>, amf0::Error> {
    let flagged_as_amf3 = matches!(message.kind, kind::COMMAND_AMF3 | kind::DATA_AMF3);
    // The flag adds one zero byte that says "AMF0 follows"; some encoders leave the byte out.
    let payload = match message.payload.split_first() {
        Some((0, rest)) if flagged_as_amf3 => rest,
        _ => &message.payload,
    };
    let mut reader = amf0::Reader::new(payload, budget);
    let mut values = Vec::new();
    while !reader.is_empty() {
        values.push(reader.value()?);
    }
    Ok(values)
}

/// The object of an `onStatus` or of a refusal.
pub(crate) fn status(level: &str, code: &str, description: &str) -> Value {
    Value::Object(vec![
        ("level".into(), level.into()),
        ("code".into(), code.into()),
        ("description".into(), description.into()),
    ])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(kind: u8, payload: Vec<u8>) -> Message {
        Message {
            kind,
            stream: 0,
            timestamp: 0,
            payload: Bytes::from(payload),
        }
    }

    #[test]
    fn a_command_flagged_as_amf3_reads_like_any_other() {
        let command = Command::new("createStream", 2.0, vec![Value::Null]);
        let mut payload = vec![0];
        payload.extend(command.write());
        let flagged = Command::read(&message(kind::COMMAND_AMF3, payload), Budget::default());
        assert_eq!(flagged, Ok(command.clone()));
        let plain = Command::read(&message(kind::COMMAND, command.write()), Budget::default());
        assert_eq!(plain, Ok(command));
    }

    #[test]
    fn a_command_without_a_number_is_one_that_wants_no_answer() {
        let mut payload = Vec::new();
        amf0::write(&mut payload, &Value::from("_checkbw"));
        let command = Command::read(&message(kind::COMMAND, payload), Budget::default()).unwrap();
        assert_eq!(command.transaction, 0.0);
    }

    #[test]
    fn a_command_whose_name_is_a_number_is_refused() {
        let read = Command::read(&message(kind::COMMAND, vec![5]), Budget::default());
        assert_eq!(read, Err(Error::Amf(amf0::Error::Expected("command name"))));
    }
}
