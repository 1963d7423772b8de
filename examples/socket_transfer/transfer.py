"""The page's two functions: a job through a socket."""

import json
import socket


# Host A: Send
def send_to_host_b(flow_data, job_state_data, host_b_address):
    transfer_data = {"flow": flow_data, "job_state": job_state_data}

    # Serialize to JSON
    json_data = json.dumps(transfer_data)

    # Send over network
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect(host_b_address)
    sock.sendall(json_data.encode())
    sock.close()


# Host B: Receive
def receive_from_host_a(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("", port))
    sock.listen(1)
    conn, addr = sock.accept()  # noqa: RUF059 - as on the page

    # Receive data
    data = b""
    while True:
        chunk = conn.recv(4096)
        if not chunk:
            break
        data += chunk

    conn.close()
    sock.close()

    # Deserialize
    transfer_data = json.loads(data.decode())
    return transfer_data["flow"], transfer_data["job_state"]
