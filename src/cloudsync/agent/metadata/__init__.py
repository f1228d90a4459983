"""What cloud-init asks 169.254.169.254: Nova's and EC2's trees, answered by an unprivileged process of its own.

documents.py makes a Record of each instance, openstack.py and ec2.py make pages of a Record (all pure); desk.py finds
the page for a request, connection.py speaks HTTP, worker.py is the process, supervisor.py and service.py run it.
"""
