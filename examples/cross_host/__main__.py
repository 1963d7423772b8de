"""The page's complete example: Host A and Host B are two processes, one file goes from one to the other."""

from examples._two_hosts import run_host, temporary_folder

if __name__ == "__main__":
    with temporary_folder():
        run_host("examples.cross_host.host_a")
        run_host("examples.cross_host.host_b")
