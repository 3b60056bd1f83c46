//! Key material that is erased when dropped and that never appears in a log.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// `N` secret bytes. There is no way to print or to compare them but in constant time.
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

/// A key of 128 bits: what every derivation of SMB 3.1.1 with AES-128 starts from and yields.
pub type Key128 = Secret<16>;

impl<const N: usize> Secret<N> {
    /// Takes the bytes over.
    pub const fn new(bytes: [u8; N]) -> Secret<N> {
        Secret(bytes)
    }

    /// The bytes, for a computation or for storage. Not for logs.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> From<[u8; N]> for Secret<N> {
    fn from(bytes: [u8; N]) -> Secret<N> {
        Secret(bytes)
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Secret<N>) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", Key128::new([0x41; 16])), "Secret<16>(..)");
    }
}
