"""Every verb of kubectl that people use daily, on the emulator: what it must say. One long session, nightly."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.server import test_clients
from tests.server.test_clients import Kubectl, needs_kubectl

emulator, kubectl = test_clients.emulator, test_clients.kubectl

README = Path(__file__).parents[2] / "README.md"

SESSION = r"""
create deployment web --image=nginx:1.27 --replicas=2 --port=80       => deployment.apps/web created
rollout status deployment/web --timeout=60s                          => successfully rolled out
expose deployment web --port=80 --target-port=80                     => service/web exposed
get svc web -o jsonpath={.spec.ports[0].port}                        => ^80$
get deploy web                                                       => web +2/2
get all                                                              => service/kubernetes(.|\n)*deployment.apps/web
get pods -l app=web -o name                                          => (pod/web-\S+\s*){2}
get pods --field-selector status.phase=Running --sort-by=.metadata.name --no-headers => (web-\S+ +1/1 +Running.*\s*){2}
get pods -o custom-columns=N:.metadata.name,P:.status.phase          => web-\S+ +Running
get --raw /version                                                   => v1.36.2
describe deployment web                                              => ScalingReplicaSet
describe svc web                                                     => Endpoints: +10.88
describe node node-1                                                 => Kubelet Version: +v1.36.2
run box --image=busybox:1.36 --labels=x=y -- sh -c "echo hi; sleep 100000" => pod/box created
wait --for=condition=Ready pod/box --timeout=30s                     => condition met
logs box                                                             => ^hi$
logs box --tail=1 --timestamps                                       => Z hi$
logs -l x=y --prefix                                                 => \[pod/box/box\] hi
exec box -- sh -c "exit 3"                                           => exit code 3
cp /nowhere box:/tmp                                                 => error
exec box -- mkdir /tmp/deep                                          => \A\Z
cp @README.md box:/tmp/deep/readme                                   => \A\Z
exec box -- head -n 9 /tmp/deep/readme                               => selfheal
cp box:/tmp/deep @back                                               => ^(tar: .*)?$
debug box --image=busybox:1.36 --container=dbg -- sleep 10000        => ^(--profile.*)?$
wait --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running} pod/box --timeout=30s => condition met
exec box -c dbg -- hostname                                          => ^box$
debug box --copy-to=copy --image=busybox:1.36 --container=dbg -- sleep 9 => ^(--profile.*)?$
set image deployment/web nginx=nginx:1.28                            => image updated
rollout status deployment/web --timeout=60s                          => successfully rolled out
rollout history deployment/web                                       => 2 +<none>
rollout undo deployment/web                                          => rolled back
rollout pause deployment/web                                         => paused
rollout resume deployment/web                                        => resumed
rollout restart deployment/web                                       => restarted
rollout status deployment/web --timeout=60s                          => successfully rolled out
set env deployment/web A=b                                           => env updated
set resources deployment/web --requests=cpu=10m                      => resource requirements updated
scale deployment/web --replicas=3 --current-replicas=2               => scaled
scale deployment/web --replicas=9 --current-replicas=5               => Expected replicas to be 5
autoscale deployment web --min=1 --max=3                             => autoscaled
get hpa web                                                          => Deployment/web
label pod box z=1                                                    => labeled
label pod box z=2                                                    => already has a value
label pod box z-                                                     => unlabeled
annotate pod box a=b                                                 => annotated
patch pod box --type=json -p [{"op":"add","path":"/metadata/labels/q","value":"1"}] => patched
patch pod box --type=merge -p {"spec":{"nodeName":"node-9"}}         => Forbidden: pod updates may not change fields
create configmap c --from-literal=a=b                                => created
create configmap c --from-literal=a=b                                => configmaps "c" already exists
create secret generic s --from-literal=a=b                           => created
get secret s -o jsonpath={.data.a}                                   => Yg==
create serviceaccount sa                                             => created
create token sa                                                      => \S{20}
create role r --verb=get --resource=pods                             => created
create namespace other                                               => namespace/other created
create job j -n other --image=busybox:1.36 -- true                   => job.batch/j created
wait -n other --for=condition=Complete job/j --timeout=60s           => condition met
create cronjob cj --image=busybox:1.36 --schedule=0,30 -- date       => Invalid value
create pdb p --selector=app=web --min-available=1                    => created
delete namespace other                                               => namespace "other" deleted
get namespace other                                                  => NotFound
events --types=Normal                                                => Scheduled
get events --field-selector involvedObject.name=box                  => Started
cordon node-1                                                        => cordoned
uncordon node-1                                                      => uncordoned
taint node node-1 a=b:NoExecute                                      => tainted
taint node node-1 a-                                                 => untainted
drain node-2 --ignore-daemonsets --force --delete-emptydir-data --timeout=60s => node/node-2 drained
top nodes                                                            => node-3 +\d+m
api-resources                                                        => deployments +deploy +apps/v1 +true +Deployment
api-versions                                                         => autoscaling/v2
explain deployment.spec.replicas                                     => Number of desired pods
auth can-i create deployments                                        => yes
auth can-i --list                                                    => \*\.\* +\[\] +\[\] +\[\*\]
edit deployment web                                                  => deployment.apps/web edited
get deployment web -o jsonpath={.spec.minReadySeconds}               => ^1$
create deployment web --image=nginx:1.30 --dry-run=server            => already exists
create deployment web2 --image=nginx:1.30 --dry-run=server           => deployment.apps/web2 created .server dry run.
get --raw /metrics                                                   => prober_probe_total
get --raw /api/v1/nodes/node-1/proxy/healthz                         => ^ok$
explain pods.spec.ephemeralContainers --output=plaintext-openapiv2   => RESOURCE: ephemeralContainers
patch deployment web --subresource=scale --type=merge -p {"spec":{"replicas":2}} => patched
auth whoami                                                          => kubernetes-admin
cluster-info                                                         => control plane(.|\n)* is running at
delete pod box --grace-period=1                                      => deleted
delete deployment,service,hpa web                                    => deleted
get pods -A --chunk-size=1                                           => .
"""


@pytest.mark.nightly
@needs_kubectl
def test_the_verbs_of_every_day(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.environment["EDITOR"] = 'sed -i "s/^spec:/spec:\\\\n  minReadySeconds: 1/"'
    (tmp_path / "README.md").write_bytes(README.read_bytes() + bytes(range(256)) * 300)
    wrong = []
    for row in SESSION.strip().splitlines():
        line, _, wanted = row.partition("=>")
        line = line.replace("@", f"{tmp_path}/") if line.startswith("cp ") else line
        words = shlex.split(line) if '"echo' in line or '"exit' in line else line.split()
        process = kubectl.start(*words)
        out, err = process.communicate(timeout=90)
        text = re.sub(r"\x1b\[[\d;]*m", "", out + err)
        if re.search(wanted.strip(), text, re.MULTILINE) is None:
            wrong.append((line.strip(), text))
    assert wrong == []
    assert (tmp_path / "back" / "readme").read_bytes() == (tmp_path / "README.md").read_bytes()
