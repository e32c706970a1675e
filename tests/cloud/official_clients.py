"""The lab's operations with the official clients of Azure and Databricks, against the address in the first
argument. The second names the cluster, the third the subdomain, the fourth the managed resource group:
names that our client chooses."""

import io
import sys

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import compute, jobs, serving
from databricks.sdk.service.workspace import ImportFormat

host, cluster_name, subdomain, managed = sys.argv[1:5]
SUBSCRIPTION, GROUP, REGION = "00000000-0000-0000-0000-000000000000", "evenhand-lab", "swedencentral"
ACCOUNT, WORKSPACE, DEPLOYMENT = "even-lab", "even-dbx", "gpt-5-mini"


class Credential:
    def get_token(self, *scopes, **_):
        return AccessToken("a-token-0123456789", 4102444800)


class Bearer(SansIOHTTPPolicy):
    """The SDK's own policy refuses plain HTTP, also on this machine."""

    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer a-token-0123456789"


def azure(kind):
    return kind(
        Credential(), SUBSCRIPTION, base_url=host, authentication_policy=Bearer(), polling_interval=0,
        retry_total=0,
    )


resources = azure(ResourceManagementClient)
cognitive = azure(CognitiveServicesManagementClient)
databricks = azure(AzureDatabricksManagementClient)
machines = azure(ComputeManagementClient)
rights = azure(AuthorizationManagementClient)

subscriptions = SubscriptionClient(
    Credential(), base_url=host, authentication_policy=Bearer(), retry_total=0
)

list(subscriptions.subscriptions.list())
# Azure OpenAI.
for provider in ["Microsoft.CognitiveServices", "Microsoft.Databricks", "Microsoft.Compute"]:
    resources.providers.register(provider)
    resources.providers.get(provider)
resources.resource_groups.create_or_update(
    GROUP, {"location": REGION, "tags": {"made-by": "evenhand"}}
)
resources.resource_groups.get(GROUP)
list(resources.resources.list_by_resource_group(GROUP))
cognitive.check_domain_availability(subdomain, "Microsoft.CognitiveServices/accounts")
cognitive.accounts.begin_create(GROUP, ACCOUNT, {
    "kind": "OpenAI", "sku": {"name": "S0"}, "location": REGION,
    "properties": {"customSubDomainName": subdomain},
}).result()
cognitive.accounts.get(GROUP, ACCOUNT)
cognitive.accounts.list_keys(GROUP, ACCOUNT)
list(cognitive.models.list(REGION))
list(cognitive.usages.list(REGION))
cognitive.deployments.begin_create_or_update(GROUP, ACCOUNT, DEPLOYMENT, {
    "sku": {"name": "GlobalStandard", "capacity": 5},
    "properties": {"model": {"format": "OpenAI", "name": "gpt-5-mini", "version": "2025-08-07"}},
}).result()
list(cognitive.deployments.list(GROUP, ACCOUNT))
# The workspace.
databricks.workspaces.begin_create_or_update(GROUP, WORKSPACE, {
    "location": REGION, "sku": {"name": "premium"},
    "properties": {
        "computeMode": "Hybrid",
        "managedResourceGroupId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{managed}",
    },
}).result()
databricks.workspaces.get(GROUP, WORKSPACE)
try:
    resources.resource_groups.get(managed)
except ResourceNotFoundError:
    pass
# What will work.
list(rights.permissions.list_for_resource_group(GROUP))
list(machines.usage.list(REGION))
list(machines.resource_skus.list(filter=f"location eq '{REGION}'"))
list(cognitive.deleted_accounts.list())
# What is in it.
workspace = WorkspaceClient(host=host, token="dapi-of-practice")
list(workspace.clusters.list())
workspace.clusters.spark_versions()
workspace.clusters.list_node_types()
workspace.current_user.me()
cluster = workspace.clusters.create(
    cluster_name=cluster_name, kind=compute.Kind.CLASSIC_PREVIEW, is_single_node=True,
    use_ml_runtime=True, spark_version="17.3.x-scala2.13", node_type_id="Standard_D4ds_v5",
    data_security_mode=compute.DataSecurityMode.SINGLE_USER, single_user_name="me@example.org",
    runtime_engine=compute.RuntimeEngine.STANDARD, autotermination_minutes=20,
)
ID = cluster.response.cluster_id
workspace.clusters.get(ID)
workspace.libraries.install(ID, [compute.Library(pypi=compute.PythonPyPiLibrary("openai==1.42.0"))])
list(workspace.libraries.cluster_status(ID))
workspace.workspace.mkdirs("/Users/me@example.org")
workspace.workspace.import_(
    "/Users/me@example.org/lab", content="e30=", format=ImportFormat.JUPYTER, overwrite=True
)
list(workspace.jobs.list())
list(workspace.serving_endpoints.list())
list(workspace.workspace.list("/", recursive=True))
workspace.api_client.do(
    "PUT", "/api/2.0/fs/files/Volumes/main/default/lab/a.csv", query={"overwrite": "true"},
    headers={"Content-Type": "application/octet-stream"}, data=io.BytesIO(b"x"),
)
workspace.jobs.submit(
    run_name="evenhand: lab", idempotency_token="any",
    tasks=[jobs.SubmitTask(
        task_key="notebook", existing_cluster_id=ID,
        notebook_task=jobs.NotebookTask("/Users/me@example.org/lab"),
    )],
)
workspace.jobs.get_run(7)
workspace.jobs.get_run_output(8)
workspace.jobs.cancel_run(7)
workspace.secrets.create_scope("evenhand")
workspace.secrets.put_secret("evenhand", "even", string_value="key-one-0123456789")
workspace.serving_endpoints.create(
    "even",
    config=serving.EndpointCoreConfigInput(name="even", served_entities=[serving.ServedEntityInput(
        external_model=serving.ExternalModel(
            provider=serving.ExternalModelProvider.OPENAI, task="llm/v1/chat", name="gpt-5-mini",
            openai_config=serving.OpenAiConfig(
                openai_api_type="azure", openai_api_base="https://x.openai.azure.com/",
                openai_api_version="2024-10-21", openai_deployment_name="gpt-5-mini",
                openai_api_key="{{secrets/evenhand/even}}",
            ),
        ),
    )]),
)
workspace.serving_endpoints.get("even")
workspace.serving_endpoints.delete("even")
list(workspace.clusters.events(ID, limit=50, order=compute.GetEventsOrder.DESC))
workspace.workspace.delete("/Users/me@example.org/lab")
workspace.clusters.delete(ID)
workspace.clusters.start(ID)
workspace.clusters.permanent_delete(ID)
# And away with it.
databricks.workspaces.begin_delete(GROUP, WORKSPACE).result()
cognitive.deployments.begin_delete(GROUP, ACCOUNT, DEPLOYMENT).result()
cognitive.accounts.begin_delete(GROUP, ACCOUNT).result()
list(cognitive.deleted_accounts.list())
cognitive.deleted_accounts.begin_purge(REGION, GROUP, ACCOUNT).result()
resources.resource_groups.begin_delete(GROUP).result()
print("done")
