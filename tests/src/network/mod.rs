//! A network of the runner's own: a namespace for each node, all on one switch, with the runner's
//! host as one more member, where the clients are. Any way from one member to another can be cut, in
//! one direction or both: what is sent is then lost without a word, as on a wire.
//!
//! Nodes talk to each other at their loopback addresses, 127.0.0.N, which here lead from one
//! namespace to another; clients find them at 198.18.X.N, of the range that is kept for such tests
//! (RFC 2544).
//!
//! How a way is cut: every member knows its neighbours' hardware addresses by heart, so a wrong one
//! sends what is meant for a neighbour to nobody. That takes nothing but `ip`, and acts at once on
//! connections that stand.

mod command;
mod leftovers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use command::{ip, ip_all, ip_batch, run};
pub use leftovers::remove_leftovers;

/// What a namespace is called, before the number of the process that made it.
const NAME: &str = "holdfast-";

/// One end of a way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Member {
    /// The runner, and its clients.
    Clients,
    Node(u64),
}

/// The network. Dropped, it is taken down.
pub struct Network {
    nodes: u64,
    /// The third number of the clients' addresses.
    range: u8,
    /// The runner's own end of its wire to the switch.
    wire: String,
}

impl Network {
    /// Makes it; takes root.
    pub fn new(nodes: u64) -> Result<Network, String> {
        remove_leftovers()?;
        let wire = format!("hf{}", std::process::id());
        let network = Network { nodes, range: free_range()?, wire };
        network.make()?;
        Ok(network)
    }

    fn make(&self) -> Result<(), String> {
        let switch = self.switch();
        ip(&["netns", "add", &switch])?;
        ip(&["-n", &switch, "link", "add", "switch", "type", "bridge"])?;
        ip(&["-n", &switch, "link", "set", "switch", "up"])?;
        ip(&[
            "link", "add", &self.wire, "type", "veth", "peer", "name", "clients", "netns", &switch,
        ])?;
        let of_clients = self.hardware(Member::Clients);
        let address = format!("{}/24", self.client_address(Member::Clients));
        let mut commands = vec![
            format!("link set {} address {of_clients}", self.wire),
            format!("addr add {address} dev {}", self.wire),
            format!("link set {} up", self.wire),
        ];
        self.plug("clients")?;
        for node in 1..=self.nodes {
            self.make_node(node)?;
            commands.push(self.way(Member::Clients, Member::Node(node), true));
        }
        ip_batch(None, &commands)
    }

    fn make_node(&self, node: u64) -> Result<(), String> {
        let (space, port) = (self.space(node), format!("node{node}"));
        ip(&["netns", "add", &space])?;
        let switch = self.switch();
        ip(&[
            "-n", &space, "link", "add", "wire", "type", "veth", "peer", "name", &port, "netns",
            &switch,
        ])?;
        self.plug(&port)?;
        // The kernel would say that nobody else may have such an address.
        let local = "for all in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$all; done";
        run("nsenter", &[&format!("--net={}", path(&space)), "/bin/sh", "-c", local])?;
        let own = Member::Node(node);
        let mut commands = vec![
            "link set lo up".to_owned(),
            // It has all of 127.0.0.0/8 now.
            "addr flush dev lo".to_owned(),
            format!("addr add {}/32 dev lo", loopback(node)),
            format!("link set wire address {}", self.hardware(own)),
            format!("addr add {}/24 dev wire", self.client_address(own)),
            "link set wire up".to_owned(),
            self.way(own, Member::Clients, true),
        ];
        for other in (1..=self.nodes).filter(|other| *other != node) {
            commands.push(format!(
                "route add {}/32 dev wire src {}",
                loopback(other),
                loopback(node)
            ));
            commands.push(self.way(own, Member::Node(other), true));
        }
        ip_batch(Some(&space), &commands)
    }

    fn plug(&self, port: &str) -> Result<(), String> {
        ip(&["-n", &self.switch(), "link", "set", port, "master", "switch", "up"])
    }

    /// Cuts ways, each in the direction in which it is named, all at about the same time.
    pub fn cut(&self, ways: &[(Member, Member)]) -> Result<(), String> {
        self.set(ways, false)
    }

    /// Everybody reaches everybody again.
    pub fn heal(&self) -> Result<(), String> {
        let members: Vec<Member> = self.members().collect();
        let ways = members.iter().flat_map(|from| members.iter().map(move |to| (*from, *to)));
        let ways: Vec<(Member, Member)> = ways.filter(|(from, to)| from != to).collect();
        self.set(&ways, true)
    }

    fn set(&self, ways: &[(Member, Member)], open: bool) -> Result<(), String> {
        let of = |member: Member| -> Vec<String> {
            let own = ways.iter().filter(|(from, _)| *from == member);
            own.map(|(from, to)| self.way(*from, *to, open)).collect()
        };
        let each = self.members().map(|member| {
            let space = match member {
                Member::Clients => None,
                Member::Node(node) => Some(self.space(node)),
            };
            (space, of(member))
        });
        ip_all(each.filter(|(_, commands)| !commands.is_empty()).collect())
    }

    fn members(&self) -> impl Iterator<Item = Member> {
        [Member::Clients].into_iter().chain((1..=self.nodes).map(Member::Node))
    }

    /// The command, in the namespace of `from`, that opens or cuts its way to `to`.
    fn way(&self, from: Member, to: Member, open: bool) -> String {
        /// Nobody has it.
        const NOWHERE: &str = "02:48:46:ff:ff:ff";
        let (address, device): (IpAddr, &str) = match (from, to) {
            (Member::Node(_), Member::Node(node)) => (loopback(node).into(), "wire"),
            (Member::Node(_), Member::Clients) => (self.client_address(to), "wire"),
            (Member::Clients, _) => (self.client_address(to), self.wire.as_str()),
        };
        let right = self.hardware(to);
        let hardware = if open { right.as_str() } else { NOWHERE };
        format!("neigh replace {address} lladdr {hardware} dev {device} nud permanent")
    }

    /// Where clients find a node.
    pub fn address(&self, node: u64, port: u16) -> SocketAddr {
        SocketAddr::new(self.client_address(Member::Node(node)), port)
    }

    fn client_address(&self, member: Member) -> IpAddr {
        let last = match member {
            Member::Clients => 254,
            Member::Node(node) => node as u8,
        };
        Ipv4Addr::new(198, 18, self.range, last).into()
    }

    fn hardware(&self, member: Member) -> String {
        let last = match member {
            Member::Clients => 254,
            Member::Node(node) => node,
        };
        format!("02:48:46:00:{:02x}:{last:02x}", self.range)
    }

    fn switch(&self) -> String {
        format!("{NAME}{}-switch", std::process::id())
    }

    fn space(&self, node: u64) -> String {
        format!("{NAME}{}-node{node}", std::process::id())
    }

    /// The words before a command line that is to run where a node is.
    pub fn inside(&self, node: u64) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net={}", path(&self.space(node))), "--".to_owned()]
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The kernel takes its time with a namespace; the runner's own end is to be gone now.
        if Path::new("/sys/class/net").join(&self.wire).exists()
            && let Err(why) = ip(&["link", "delete", &self.wire])
        {
            eprintln!("{why}");
        }
        let spaces = (1..=self.nodes).map(|node| self.space(node)).chain([self.switch()]);
        for space in spaces.filter(|space| Path::new(&path(space)).exists()) {
            if let Err(why) = ip(&["netns", "delete", &space]) {
                eprintln!("{why}");
            }
        }
    }
}

fn loopback(node: u64) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, node as u8)
}

/// Where a namespace is held open.
fn path(space: &str) -> String {
    format!("/run/netns/{space}")
}

/// A range of addresses that this host does not use.
fn free_range() -> Result<u8, String> {
    let used = command::said("ip", &["-o", "-4", "addr", "show"])?;
    let routed = command::said("ip", &["-4", "route", "show"])?;
    let is_free = |range: &u8| {
        let start = format!("198.18.{range}.");
        !used.contains(&start) && !routed.contains(&start)
    };
    (1..=250).find(is_free).ok_or_else(|| "no range in 198.18.0.0/16 is free".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Command};
    use std::time::Duration;

    /// Ends with the test, however that ends.
    struct Echo(Child);

    impl Drop for Echo {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    /// Answers every line, where a node is.
    fn echo(network: &Network, node: u64, port: u16) -> Echo {
        let words = network.inside(node);
        let program = "import socket,sys\n\
            s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\n\
            s.bind(('',int(sys.argv[1]))); s.listen()\n\
            while True:\n c,_=s.accept()\n while (d:=c.recv(99)): c.sendall(d)";
        let child = Command::new(&words[0])
            .args(&words[1..])
            .args(["python3", "-c", program, &port.to_string()])
            .spawn()
            .unwrap();
        Echo(child)
    }

    #[test]
    fn a_way_is_cut_and_healed_and_nothing_stays_behind() {
        if !rustix::process::geteuid().is_root() {
            println!("not run: it takes root");
            return;
        }
        let network = Network::new(2).unwrap();
        let _echo = echo(&network, 2, 7007);
        let address = network.address(2, 7007);
        let mut stream = loop {
            match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
                Ok(stream) => break stream,
                Err(_) => std::thread::yield_now(),
            }
        };
        let mut question = 0;
        let mut asked = |wait: u64| {
            // Answers to earlier ones may come late.
            question += 1;
            stream.set_read_timeout(Some(Duration::from_millis(wait))).unwrap();
            stream.write_all(&[question]).unwrap();
            let mut answer = [0; 64];
            loop {
                match stream.read(&mut answer) {
                    Ok(length) if answer[..length].contains(&question) => return true,
                    Ok(length) if length > 0 => {}
                    _ => return false,
                }
            }
        };
        assert!(asked(1_000));
        let (here, there) = (Member::Clients, Member::Node(2));
        for way in [(here, there), (there, here)] {
            network.cut(&[way]).unwrap();
            assert!(!asked(300), "{way:?} is cut");
            network.heal().unwrap();
            assert!(asked(5_000), "{way:?} is whole again");
        }
        // Nodes reach each other where they expect each other.
        let words = network.inside(1);
        let connects = "import socket; socket.create_connection(('127.0.0.2',7007),2)";
        let connects = || {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).args(["python3", "-c", connects]);
            command.stderr(std::process::Stdio::null()).status().unwrap().success()
        };
        assert!(connects());
        network.cut(&[(Member::Node(2), Member::Node(1))]).unwrap();
        assert!(!connects());
        let made = [path(&network.space(1)), format!("/sys/class/net/{}", network.wire)];
        assert!(made.iter().all(|made| Path::new(made).exists()));
        drop(network);
        assert!(!made.iter().any(|made| Path::new(made).exists()));
    }
}
