//! Filters that the kernel runs on what comes to a socket (classic BPF, socket(7) `SO_ATTACH_FILTER`).

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use libc::sock_filter as Instruction;

/// Has the kernel run `program` on all that comes to `socket` from now on.
///
/// # Errors
/// The kernel refuses the program.
pub(super) fn attach(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: pointer and length describe `program`, whose instructions outlive the call; the kernel only reads them.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of_val(&program) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets all pass but the news of routes whose protocol is another one. A listing, which has several messages in a datagram,
/// passes whole.
pub(super) fn routes_of(protocol: u8) -> [Instruction; 9] {
    // A datagram begins with a netlink header (length, type, flags, sequence, port), in the host's order. The loads take
    // it for that of the network.
    let load_half = |at| instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, 0, 0, at);
    let is = |value: u32, then, otherwise| {
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, then, otherwise, value)
    };
    let in_network_order = |value: u16| u32::from(value.to_be());
    [
        load_half(4),
        is(in_network_order(libc::RTM_NEWROUTE), 1, 0),
        is(in_network_order(libc::RTM_DELROUTE), 0, 4),
        load_half(6),
        instruction(
            libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
            2,
            0,
            in_network_order(libc::NLM_F_MULTI as u16),
        ),
        // The sixth byte of what follows the header is the route's protocol.
        instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, 16 + 5),
        is(protocol.into(), 0, 1),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ]
}

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code: code as u16, jt, jf, k }
}
