//! Attributes of a message that is being written.

/// The body of a message: a fixed header, then attributes.
#[derive(Debug, Default)]
pub(crate) struct Body(Vec<u8>);

impl Body {
    pub(crate) fn new(header: &[u8]) -> Self {
        Self(header.to_vec())
    }

    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        self.0.into_boxed_slice()
    }

    /// Appends bytes that are no attribute.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nest(kind, |body| body.bytes(value));
    }

    /// An attribute whose value is what `write` appends.
    pub(crate) fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        self.measured(|body| {
            body.bytes(&kind.to_ne_bytes());
            write(body);
        });
        self.0.resize(self.0.len().next_multiple_of(ALIGNMENT), 0);
    }

    /// Two bytes of length, and then what `write` appends. What is longer than that can say is cut short, and the kernel
    /// refuses it.
    pub(crate) fn measured(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.bytes(&[0; 2]);
        write(self);
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        if let Some(place) = self.0.get_mut(start..start + 2) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    /// A number in the host's order, if there is one.
    pub(crate) fn number(&mut self, kind: u16, value: Option<u32>) {
        if let Some(value) = value {
            self.attribute(kind, &value.to_ne_bytes());
        }
    }

    /// Text as C has it, with its final zero.
    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        self.nest(kind, |body| {
            body.bytes(text.as_bytes());
            body.bytes(&[0]);
        });
    }

    /// An address, without its length.
    pub(crate) fn address(&mut self, kind: u16, address: std::net::IpAddr) {
        match address {
            std::net::IpAddr::V4(address) => self.attribute(kind, &address.octets()),
            std::net::IpAddr::V6(address) => self.attribute(kind, &address.octets()),
        }
    }
}

/// Attributes begin at multiples of this.
const ALIGNMENT: usize = 4;
