//! The resolved configuration as JSON for people and their programs. docs/config-json.md describes it.

use serde_json::{Map, Value, json};

/// Grows when a field changes its meaning or goes; new fields may come at any time.
const SCHEMA: u32 = 1;

/// What becomes of passwords and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// Each is `{"secret": null}`.
    Hidden,
    /// Each is `{"secret": TEXT}`; bytes that are no text stand as `hex:…`.
    Shown,
}

/// The configuration as indented JSON, without a newline at the end.
pub(crate) fn json(config: &model::Config, secrets: Secrets) -> serde_json::Result<String> {
    let mut object = Map::new();
    object.insert("schema".to_owned(), SCHEMA.into());
    if let Value::Object(parts) = presented(serde_json::to_value(config)?, secrets) {
        object.extend(parts);
    }
    serde_json::to_string_pretty(&Value::Object(object))
}

/// A serialised value with its secrets replaced, and each span of time as a number of seconds.
fn presented(value: Value, secrets: Secrets) -> Value {
    match value {
        Value::Object(fields) => {
            if let Some(seconds) = seconds(&fields) {
                return seconds;
            }
            match (fields.len(), fields.get("secret")) {
                (1, Some(_)) if secrets == Secrets::Hidden => json!({ "secret": null }),
                (1, Some(secret)) => json!({ "secret": text(secret) }),
                _ => fields.into_iter().map(|(name, value)| (name, presented(value, secrets))).collect(),
            }
        }
        Value::Array(values) => values.into_iter().map(|value| presented(value, secrets)).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// The seconds of a serialised [`std::time::Duration`].
fn seconds(fields: &Map<String, Value>) -> Option<Value> {
    let (secs, nanos) = (fields.get("secs")?.as_u64()?, fields.get("nanos")?.as_u64()?);
    if fields.len() != 2 {
        return None;
    }
    // From its digits: a sum of the two would show what binary fractions cannot hold.
    let fraction = format!("{secs}.{nanos:09}").parse::<f64>().ok()?;
    Some(if nanos == 0 { secs.into() } else { fraction.into() })
}

/// A secret as text: bytes are padded with zeroes where a packet has them.
fn text(secret: &Value) -> Value {
    let Some(bytes) = secret.as_array() else { return secret.clone() };
    let bytes: Vec<u8> =
        bytes.iter().filter_map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    match std::str::from_utf8(bytes.get(..end).unwrap_or_default()) {
        Ok(text) if !text.contains(char::is_control) => text.into(),
        _ => bytes.iter().fold("hex:".to_owned(), |text, byte| format!("{text}{byte:02x}")).into(),
    }
}

#[cfg(test)]
mod tests {
    use model::Secret;

    use super::*;

    #[test]
    fn secrets_are_shown_only_on_request() {
        let value = json!({
            "padded": Secret::new([49, 50, 0, 0]),
            "key": Secret::new([0xff, 0]),
            "list": [{ "text": Secret::new("sesame") }],
            "other": { "secret": 1, "and": 2 },
        });
        let hidden = presented(value.clone(), Secrets::Hidden);
        assert_eq!(hidden["padded"], json!({ "secret": null }));
        assert_eq!(hidden["list"][0]["text"], json!({ "secret": null }));
        assert_eq!(hidden["other"], json!({ "secret": 1, "and": 2 }), "no secret, but of that name");
        let shown = presented(value, Secrets::Shown);
        assert_eq!(shown["padded"], json!({ "secret": "12" }));
        assert_eq!(shown["key"], json!({ "secret": "hex:ff00" }));
        assert_eq!(shown["list"][0]["text"], json!({ "secret": "sesame" }));
    }

    #[test]
    fn spans_of_time_are_seconds() {
        let span = |micros| serde_json::to_value(std::time::Duration::from_micros(micros)).unwrap();
        assert_eq!(presented(span(3_000_000), Secrets::Hidden).to_string(), "3");
        assert_eq!(presented(span(1_500_001), Secrets::Hidden).to_string(), "1.500001");
    }

    #[test]
    fn the_schema_has_its_number() {
        let text = json(&model::Config::default(), Secrets::Hidden).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], SCHEMA);
        assert!(value["vrrp"]["instances"].is_array() && value["global"].is_object());
    }
}
